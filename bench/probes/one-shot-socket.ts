import { connect } from 'node:net'
import { join } from 'node:path'
import { pack } from 'msgpackr'

/** Sends one frame to the receiver, waits until it has ended its side, and ends. */
const [directory = ''] = process.argv.slice(2)
const body = pack({ id: 1, note: 'only one' })
const head = Buffer.alloc(4)
head.writeUInt32BE(body.length)
const socket = connect(join(directory, 'receiver.sock'))
socket.end(Buffer.concat([head, body]))
socket.resume()
