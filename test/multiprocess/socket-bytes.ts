import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import { fields } from './parse'

const sockets = new Set<Socket>()

/** Bytes that have come out of those that are closed. */
let bytesBefore = 0

/** Takes note of every socket that this process opens or accepts from now on. */
export function watchSockets(): void {
  for (const channel of ['net.client.socket', 'net.server.socket']) {
    subscribe(channel, (message) => {
      const { socket } = fields(message)
      if (!(socket instanceof Socket)) return
      sockets.add(socket)
      socket.once('close', () => {
        sockets.delete(socket)
        bytesBefore += socket.bytesRead
      })
    })
  }
}

/** Bytes that have come out of all of them. */
export function bytesReadFromSockets(): number {
  return [...sockets].reduce((sum, socket) => sum + socket.bytesRead, bytesBefore)
}
