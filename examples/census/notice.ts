import type { Total } from './tally'

/** Messages from the four processes to the census on standard output, one line of JSON each. All other lines are for people. */
export type Notice =
  | { readonly kind: 'listening' }
  | { readonly kind: 'reading' }
  | { readonly kind: 'total'; readonly total: Total }

export function give(notice: Notice): void {
  console.log(JSON.stringify(notice))
}

/** The notice in a line of output; undefined if there is none. */
export function noticeIn(output: string): Notice | undefined {
  if (!output.startsWith('{')) return undefined
  const { kind, total } = fieldsOf(JSON.parse(output))
  if (kind === 'listening' || kind === 'reading') return { kind }
  if (kind === 'total') return { kind, total: parseTotal(fieldsOf(total)) }
  throw new TypeError(`expected a notice, got ${output}`)
}

function parseTotal({ from, lines, words, checksum }: Record<string, unknown>): Total {
  if (
    typeof from !== 'number' ||
    typeof lines !== 'number' ||
    typeof words !== 'number' ||
    typeof checksum !== 'string'
  ) {
    throw new TypeError('expected a total of three numbers and a checksum')
  }
  return { from, lines, words, checksum }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}
