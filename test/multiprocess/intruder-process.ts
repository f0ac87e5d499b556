import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import * as procedures from './intruder-procedures'
import { Responder } from './responder'

const chunks: Buffer[] = []
let socket: Socket | undefined

process.once('disconnect', () => process.exit(1))

new Responder()
  .on(procedures.dial, async (path) => {
    socket = connect(path)
    socket.on('data', (chunk) => chunks.push(chunk))
    await once(socket, 'connect')
  })
  .on(procedures.write, (bytes) => {
    socket?.write(Buffer.from(bytes, 'hex'))
  })
  .on(procedures.caught, () => ({
    bytes: Buffer.concat(chunks).toString('hex'),
    isClosed: socket?.readableEnded ?? false,
  }))
  .listen()
