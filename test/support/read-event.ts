import { EventDecoder } from '../../src/wire/event-decoder'
import type { Frame } from '../../src/wire/frame'

/** Reads an event like a link: in place, the header first. */
export function readEvent({ bytes, start, end }: Frame, decoder = new EventDecoder()) {
  if (!decoder.readPreamble(bytes, start + 4, end)) {
    throw new Error(`expected an event in its shortest form, got ${bytes.toString('hex', start, end)}`)
  }
  const payload = decoder.payload(bytes, end)
  decoder.forget()
  return { type: decoder.type, payload }
}
