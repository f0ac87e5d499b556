import { once } from 'node:events'
import { encoded } from '../support/frame-bytes'
import { RawListener, RawPeer } from '../support/raw-peer'
import * as procedures from './raw-peer-procedures'
import { Responder } from './responder'

/** The newest connection. */
let peer: RawPeer | undefined
let listener: RawListener | undefined

process.once('disconnect', () => process.exit(1))

new Responder()
  .on(procedures.dial, async (target) => {
    peer = RawPeer.dial(target)
    await once(peer.socket, 'connect')
  })
  .on(procedures.listen, async ({ greeting, ...target }) => {
    listener = new RawListener(target, (accepted) => {
      peer = accepted
      accepted.sayBytes(Buffer.from(greeting, 'hex'))
    })
    await listener.listening()
  })
  .on(procedures.dials, () => listener?.peers.length ?? 0)
  .on(procedures.write, (bytes) => peer?.sayBytes(Buffer.from(bytes, 'hex')))
  .on(procedures.heard, () => ({
    bytes: Buffer.concat((peer?.heard ?? []).map((message) => encoded(message))).toString('hex'),
    isClosed: peer?.isClosed ?? false,
  }))
  .listen()
