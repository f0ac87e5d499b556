import type { Core } from './core'
import type { History } from './history'
import { type Extent, type Plan, planOf } from './plan'
import { Random } from './random'
import { Script } from './script'
import { Simulation } from './simulation'

/** Virtual milliseconds after which everyone has found everyone, once nothing goes wrong any more. */
const RECOVERY = 6000

/** Virtual milliseconds without a delivery after which nothing is under way any more, and that it takes at most. */
const SILENCE = 1500
const PATIENCE = 120_000

/** Virtual milliseconds for a close, in the end. */
const CLOSING = 5000

/** Plays what a seed decides: first with everything that can go wrong, then without, until everyone has left. */
export async function play(core: Core, seed: number, extent: Extent, history: History): Promise<void> {
  const random = new Random(seed)
  const plan = planOf(random, extent)
  const simulation = new Simulation(core, random.fork(), history)
  const script = new Script(simulation, plan, random.fork())
  const restore = catchWarnings(simulation)
  simulation.network.weather.conditions = plan.conditions
  try {
    await live(simulation, script, plan, extent.steps, random)
    await finish(simulation, script, random)
  } finally {
    restore()
  }
}

/** Everything that can go wrong does, and heals. */
async function live(simulation: Simulation, script: Script, plan: Plan, steps: number, random: Random): Promise<void> {
  for (const name of plan.names) {
    script.start(name)
    if (random.chance(plan.twins)) script.start(name)
  }
  for (let step = 0; step < steps; step++) {
    await pass(simulation, random.float() * plan.pause)
    script.step()
  }
  simulation.heal()
  await pass(simulation, RECOVERY)
  await quieten(simulation)
  for (const { member } of simulation.citizens) member.look()
}

/** Everything works now: whatever is sent arrives, half of all leave, and the others get their last words. */
async function finish(simulation: Simulation, script: Script, random: Random): Promise<void> {
  for (const { member } of simulation.citizens) {
    member.subscribe('>', {})
    member.subscribe('a.x', { queue: 'last' })
    member.subscribe('a.*', { queue: 'last' })
  }
  await pass(simulation, SILENCE)
  for (let round = 0; round < 3; round++) {
    for (const { member } of simulation.citizens) {
      script.broadcast(member, random.between(1, 10))
      script.ask(member)
    }
  }
  await quieten(simulation)
  const leaving = simulation.citizens.filter((_, index) => index % 2 === 0)
  for (const resident of leaving) {
    script.broadcast(resident.member, random.between(1, 10))
    void simulation.close(resident, CLOSING)
    await pass(simulation, random.pick([0, 1, 100]))
  }
  await pass(simulation, CLOSING)
  await quieten(simulation)
  for (const { member } of simulation.citizens) member.look()
  for (const resident of simulation.citizens) void simulation.close(resident, CLOSING)
  await pass(simulation, 2 * CLOSING)
  simulation.lookForLingering()
  for (const { member } of simulation.residents)
    simulation.log(member.label, { kind: 'leftover', what: 'life', count: 1 })
}

/** What an endpoint has to say before anybody can listen becomes part of the history, instead of a warning. */
function catchWarnings(simulation: Simulation): () => void {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error) => {
    simulation.log('', { kind: 'error', code: 'warning', message: String(warning) })
  }
  return () => {
    process.emitWarning = emitWarning
  }
}

/** Waits until nothing is under way any more. */
async function quieten(simulation: Simulation): Promise<void> {
  const { timeline, history } = simulation
  const deadline = timeline.now + PATIENCE
  let before = -1
  while (history.records.length > before && timeline.now < deadline) {
    before = history.records.length
    await pass(simulation, SILENCE)
  }
  simulation.log('', { kind: 'quiet' })
}

function pass({ timeline }: Simulation, milliseconds: number): Promise<void> {
  return timeline.runUntil(timeline.now + milliseconds)
}
