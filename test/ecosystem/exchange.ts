/**
 * What every loader, bundler, test runner and compiler has to run: two endpoints exchange an event, a request and errors,
 * in a program with a CommonJS package that requires lahja too.
 */
import { equal, ok } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineEvent, defineRequest, Endpoint, LahjaError, NoSubscribers, RemoteError } from 'lahja'
import { required } from 'plugin'

const Greeting = defineEvent<{ readonly text: string; readonly at: Date }>('greeting')
const Sum = defineRequest<readonly number[], number>('sum')

/** @param started called when the endpoints are linked */
export async function exchange(started = () => {}): Promise<void> {
  equal(required.Endpoint, Endpoint)
  equal(required.LahjaError, LahjaError)

  const directory = mkdtempSync(join(tmpdir(), 'lahja-'))
  const a = await Endpoint.start({ name: 'a', directory })
  const b = await required.Endpoint.start({ name: 'b', directory })
  started()

  // Long enough for the decoder of long text.
  const text = 'hello '.repeat(100)
  const at = new Date(0)
  const stream = b.stream(Greeting, { limit: 1 })
  await stream.ready
  equal(await a.broadcast(Greeting, { text, at }), 1)
  for await (const { payload, origin } of stream) {
    equal(origin, 'a')
    equal(payload.text, text)
    equal(payload.at.getTime(), 0)
  }

  await b.respond(Sum, ({ payload }) => {
    if (payload.length === 0) throw Object.assign(new TypeError('nothing to add'), { code: 'EMPTY' })
    return payload.reduce((sum, number) => sum + number)
  }).ready
  equal(await a.request(Sum, [1, 2, 3]), 6)

  const failed = await a.request(Sum, []).catch((error: unknown) => error)
  ok(failed instanceof RemoteError && failed instanceof required.LahjaError)
  equal(failed.code, 'LAHJA_REMOTE_ERROR')
  equal(failed.remote.name, 'TypeError')
  equal(failed.remote.code, 'EMPTY')

  const unheard = await a.request('nobody.responds').catch((error: unknown) => error)
  ok(unheard instanceof NoSubscribers && unheard instanceof Error)
  equal(unheard.code, 'LAHJA_NO_SUBSCRIBERS')
  equal(unheard.name, 'NoSubscribers')

  // Whether timers are faked or not.
  const { events, requests, process: numbers } = a.stats()
  equal(events.find(({ type }) => type === 'greeting')?.sent, 1)
  equal(requests.find(({ type }) => type === 'sum')?.answered, 1)
  ok(numbers.rss > 0 && numbers.loopUtilization >= 0 && numbers.loopDelay.maxMs >= 0)
  ok(b.metrics().endsWith('# EOF\n'))

  await Promise.all([a.close(), b.close()])
  rmSync(directory, { recursive: true })
}

if (process.env.EXCHANGE === 'now') void exchange().then(() => console.log('exchanged'))
