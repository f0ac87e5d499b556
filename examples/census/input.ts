import { readFile, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { type Line, linesOf } from './text'

export const USAGE = `Usage: npm start [-- [options] [file]]

Four processes on one bus: one reads a text to the others, line by line, and they count.

  file          the text (default: examples/census/text.txt; - is standard input)
  --seconds N   how long the reading takes at least (default 3)
  --help        print this

Exit code: 0 if all have counted right, 1 if not, 2 if there is nothing to read.`

/** The arguments are invalid, or the text they name cannot be read. */
export class InputError extends Error {}

export interface Arguments {
  /** A path, or `-` for standard input. */
  readonly source: string
  readonly seconds: number
}

/** A text: where the reader process finds it, and its lines as the census read them. */
export interface Text {
  readonly title: string
  readonly path: string
  readonly lines: readonly Line[]
}

/**
 * @returns undefined for `--help`
 * @throws InputError
 */
export function argumentsOf(args: readonly string[]): Arguments | undefined {
  const { values, positionals } = parse(args)
  if (values.help) return undefined
  const [source = join(__dirname, 'text.txt'), ...others] = positionals
  const seconds = Number(values.seconds)
  if (others.length > 0) throw new InputError(`expected one file, got ${positionals.length}\n\n${USAGE}`)
  if (!/^\d+(\.\d+)?$/.test(values.seconds) || seconds > 3600) {
    throw new InputError(`--seconds: expected a number from 0 to 3600, got '${values.seconds}'\n\n${USAGE}`)
  }
  return { source, seconds }
}

/**
 * @param directory for a copy of standard input, which can be read only once
 * @throws InputError
 */
export async function textOf(source: string, directory: string): Promise<Text> {
  if (source !== '-') return read(basename(source), resolve(source))
  const copy = join(directory, 'stdin.txt')
  await writeFile(copy, await buffer(process.stdin))
  return read('standard input', copy)
}

async function read(title: string, path: string): Promise<Text> {
  try {
    return { title, path, lines: linesOf(await readFile(path, 'utf8')) }
  } catch (error) {
    throw new InputError(`expected a text, got ${messageOf(error)}`, { cause: error })
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { seconds: { type: 'string', default: '3' }, help: { type: 'boolean', default: false } },
    })
  } catch (error) {
    throw new InputError(`${messageOf(error)}\n\n${USAGE}`)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
