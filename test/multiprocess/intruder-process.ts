import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import * as procedures from './intruder-procedures'
import { Responder } from './responder'

/** The newest connection, and what has come over that one. */
let socket: Socket | undefined
let chunks: Buffer[] = []
let dials = 0

function hear(connection: Socket): void {
  const heard: Buffer[] = []
  socket = connection
  chunks = heard
  connection.on('data', (chunk) => heard.push(chunk))
}

process.once('disconnect', () => process.exit(1))

new Responder()
  .on(procedures.dial, async (path) => {
    const connection = connect(path)
    hear(connection)
    await once(connection, 'connect')
  })
  .on(procedures.listen, async ({ path, greeting }) => {
    const server = createServer((accepted) => {
      dials++
      hear(accepted)
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
