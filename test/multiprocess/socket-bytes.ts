import { subscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import { fields } from './parse'

const sockets = new Set<Socket>()

/** Bytes read from closed sockets. */
let bytesBefore = 0

/** Tracks every socket that this process opens or accepts from now on. */
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

/** Bytes read from all sockets. */
export function bytesReadFromSockets(): number {
  return [...sockets].reduce((sum, socket) => sum + socket.bytesRead, bytesBefore)
}
