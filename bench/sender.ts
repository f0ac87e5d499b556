import { Endpoint } from 'lahja'
import { Orchestrator } from './orchestrator'
import { Sample, stamp } from './sample'

/** Parts of the work after which progress is told. */
const STEPS = 10

/** A machine that is busy can make any consumer slow; none is to be given up for that. */
const PATIENCE = 60_000

async function main(): Promise<void> {
  const orchestrator = new Orchestrator()
  const { name, directory, consumers, events, payloadBytes } = orchestrator.job
  const endpoint = await Endpoint.start({ name, directory, limits: { patience: PATIENCE } })
  await orchestrator.tell({ kind: 'ready' })
  await orchestrator.untilGo()

  const payload = Buffer.alloc(payloadBytes)
  const step = Math.ceil(events / STEPS)
  for (let sequence = 0; sequence < events; sequence++) {
    stamp(payload, sequence)
    const receivers = await endpoint.broadcast(Sample, payload)
    if (receivers !== consumers) throw new Error(`expected ${consumers} receivers, got ${receivers}`)
    if ((sequence + 1) % step === 0) void orchestrator.tell({ kind: 'progress', sent: sequence + 1 })
  }
  await endpoint.close({ timeout: PATIENCE })
  orchestrator.leave()
}

void main()
