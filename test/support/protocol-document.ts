import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MessageVector, PayloadVector, ProofVector } from './vectors'

export const protocolDocument = readFileSync(join(__dirname, '..', '..', 'docs', 'protocol.md'), 'utf8')

/** Maximum hexadecimal digits of a body that is shown whole. */
const SHOWN = 200

/** Prefix and first elements of the frames of payload vectors: the bytes before the payload in `[5, "t", payload]`. */
const BEFORE_PAYLOAD = 8 + '9305a174'.length

const code = (text: string) => `\`${text}\``

function shortened(hex: string): string {
  return hex.length <= SHOWN ? code(hex) : `${code(hex.slice(0, 40))} … (${hex.length / 2} bytes)`
}

/** The line of the document's table that shows a message. */
export function messageRow({ name, meaning, hex }: MessageVector): string {
  return `| ${name} | ${meaning} | ${code(`${hex.slice(0, 8)} ${hex.slice(8)}`)} |`
}

/** The line of the document's table that shows a payload. */
export function payloadRow({ name, sent, hex, arrives }: PayloadVector): string {
  const bytes = hex.slice(BEFORE_PAYLOAD)
  const cells = [sent === undefined ? [] : [code(sent)], bytes === '' ? 'none' : shortened(bytes), code(arrives)]
  return `| ${[name, ...cells.flat()].join(' | ')} |`
}

/** The line of the document's table that shows a proof. */
export function proofRow({ name, input, proof }: ProofVector): string {
  return `| ${name} | ${code(input)} | ${code(proof)} |`
}
