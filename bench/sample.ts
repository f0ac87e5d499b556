import { defineEvent } from 'lahja'

/** What is broadcast: bytes that begin with a sequence number and the time of sending, 8 bytes each. */
export const Sample = defineEvent<Buffer>('bench.sample')

/** Bytes that a sample's payload has at least. */
export const SAMPLE_HEADER = 16

export function stamp(payload: Buffer, sequence: number): void {
  payload.writeUIntBE(sequence, 2, 6)
  payload.writeBigUInt64BE(process.hrtime.bigint(), 8)
}

export function sequenceOf(payload: Buffer): number {
  return payload.readUIntBE(2, 6)
}

/** Of the clock that all processes of one machine share, in nanoseconds. */
export function sentAtOf(payload: Buffer): bigint {
  return payload.readBigUInt64BE(8)
}
