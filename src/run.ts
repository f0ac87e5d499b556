import { type Frame, PREFIX_BYTES } from './frame'

/** Events that lie one behind the other in one buffer: a link of the chain that a backlog is. */
export interface Run {
  bytes: Buffer
  start: number
  end: number
  /** How many there are. */
  events: number
  /** Of an event of which only the newest is wanted: what it is the newest of. Such an event is alone in its run. */
  readonly key?: string | undefined
  /** How many events have been dropped just before it. */
  gap: number
  previous?: Run | undefined
  next?: Run | undefined
}

/** The frames of a run. They tell their own length, so a run needs no list of them. */
export function* framesOf({ bytes, start, end }: Frame): Generator<Frame> {
  for (let at = start; at < end; at = frameEnd(bytes, at)) yield { bytes, start: at, end: frameEnd(bytes, at) }
}

export function countFrames({ bytes, start, end }: Frame): number {
  let frames = 0
  for (let at = start; at < end; at = frameEnd(bytes, at)) frames++
  return frames
}

/** Where the frame ends with which so many bytes of the run are reached. */
export function cutAfter({ bytes, start, end }: Frame, wanted: number): number {
  let at = start
  while (at < end && at - start < wanted) at = frameEnd(bytes, at)
  return at
}

/** Where the frame that begins there ends. */
export function frameEnd(bytes: Buffer, start: number): number {
  return start + PREFIX_BYTES + bytes.readUInt32BE(start)
}
