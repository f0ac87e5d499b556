import { fields, number, text } from '../multiprocess/parse'
import { Responder } from '../multiprocess/responder'
import { Actor } from './actor'
import * as procedures from './actor-procedures'

const { directory, log, number: own, seed, endpoints } = fields(JSON.parse(text(process.argv[2])))
const actor = new Actor({
  directory: text(directory),
  log: text(log),
  number: number(own),
  seed: number(seed),
  endpoints: number(endpoints),
})

// Warnings of an endpoint that has no listeners yet become part of the history.
process.removeAllListeners('warning')
process.on('warning', (warning) => actor.log('', { kind: 'error', code: 'warning', message: String(warning) }))

let isReleased = false
process.once('disconnect', () => {
  // A parent that dies takes its actors with it.
  if (!isReleased) process.exit(1)
})

actor.watchLoop()
void actor.act()

new Responder()
  .on(procedures.start, (name) => actor.start(name))
  .on(procedures.calm, () => actor.calm())
  .on(procedures.standing, () => actor.standing)
  .on(procedures.look, (at) => actor.look(at))
  .on(procedures.listen, () => actor.listen())
  .on(procedures.speak, () => actor.speak())
  .on(procedures.leave, () => actor.leave())
  .on(procedures.release, () => {
    isReleased = true
  })
  .listen()
