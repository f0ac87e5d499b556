import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import * as procedures from './intruder-procedures'
import { Responder } from './responder'

const chunks: Buffer[] = []
let socket: Socket | undefined
let dials = 0

process.once('disconnect', () => process.exit(1))

new Responder()
  .on(procedures.dial, async (path) => {
    socket = connect(path)
    socket.on('data', (chunk) => chunks.push(chunk))
    await once(socket, 'connect')
  })
  .on(procedures.listen, async ({ path, greeting }) => {
    const server = createServer((accepted) => {
      dials++
      socket = accepted
      chunks.length = 0
      accepted.on('data', (chunk) => chunks.push(chunk))
      accepted.on('error', () => {})
      accepted.write(Buffer.from(greeting, 'hex'))
    })
    server.listen(path)
    await once(server, 'listening')
  })
  .on(procedures.dials, () => dials)
  .on(procedures.write, (bytes) => {
    socket?.write(Buffer.from(bytes, 'hex'))
  })
  .on(procedures.caught, () => ({
    bytes: Buffer.concat(chunks).toString('hex'),
    isClosed: socket?.readableEnded ?? false,
  }))
  .listen()
