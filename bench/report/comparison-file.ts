import { readFileSync } from 'node:fs'
import type { Comparison, Failure, Outcome } from '../measure/comparison'
import { type Bound, UNITS } from '../measure/row'
import { Fields } from '../workers/fields'

/** What `--json` has printed. @throws TypeError if the file holds something else */
export function readComparison(path: string): Comparison {
  const comparison = new Fields(JSON.parse(readFileSync(path, 'utf8')))
  const settings = new Fields(comparison.value('settings'))
  return {
    command: comparison.text('command'),
    date: comparison.text('date'),
    machine: comparison.text('machine'),
    node: comparison.text('node'),
    rounds: comparison.number('rounds'),
    settings: Object.fromEntries(settings.names.map((name) => [name, settings.text(name)])),
    ok: comparison.flag('ok'),
    outcomes: comparison.list('outcomes', parseOutcome),
  }
}

function parseOutcome(value: unknown): Outcome {
  const outcome = new Fields(value)
  const bound = outcome.value('bound')
  return {
    id: outcome.text('id'),
    title: outcome.text('title'),
    unit: outcome.oneOf('unit', UNITS),
    figure: outcome.text('figure'),
    ours: outcome.text('ours'),
    ...(outcome.value('theirs') !== undefined && { theirs: outcome.text('theirs') }),
    rival: outcome.text('rival'),
    ...(bound !== undefined && { bound: parseBound(bound) }),
    our: outcome.list('our', Number),
    their: outcome.list('their', Number),
    reached: outcome.list('reached', Number),
    ok: outcome.value('ok') === undefined ? undefined : outcome.flag('ok'),
    missing: outcome.list('missing', String),
    failures: outcome.list('failures', parseFailure),
  }
}

function parseFailure(value: unknown): Failure {
  const failure = new Fields(value)
  return { trial: failure.text('trial'), message: failure.text('message') }
}

function parseBound(value: unknown): Bound {
  const bound = new Fields(value)
  return bound.value('atLeast') === undefined
    ? { atMost: bound.number('atMost') }
    : { atLeast: bound.number('atLeast') }
}
