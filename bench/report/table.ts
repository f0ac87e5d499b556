import Table from 'cli-table3'

export type Align = 'left' | 'right'

/** By default, numbers to the right of a first column of names. */
export function tableOf(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  aligns: readonly Align[] = head.map((_, column) => (column === 0 ? 'left' : 'right')),
): string {
  const table = new Table({ head: [...head], colAligns: [...aligns], style: { head: [], border: [], compact: true } })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}
