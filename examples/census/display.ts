import { styleText } from 'node:util'
import { COUNTER, INDEXER, LATECOMER, READER } from './events'

const COLORS = new Map([
  [READER, 'cyan'],
  [COUNTER, 'green'],
  [INDEXER, 'yellow'],
  [LATECOMER, 'magenta'],
] as const)

const WIDTH = Math.max(...[...COLORS.keys()].map((name) => name.length))

const isColored = process.stdout.isTTY && !process.env.NO_COLOR

/** Prints one line, with the name of the process it comes from. */
export function show(name: string, text: string): void {
  const prefix = name.padEnd(WIDTH)
  const color = [...COLORS].find(([known]) => known === name)?.[1] ?? 'bold'
  console.log(`${isColored ? styleText(color, prefix) : prefix}  ${text}`)
}
