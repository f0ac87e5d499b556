import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { compilationDirectory } from '../multiprocess/compilation'
import { ROWS, type Row } from './rows'

const PRELOAD = join(__dirname, '..', 'multiprocess', 'preload.js')

/** Bytes that the worst case of a row holds. */
export async function measure(row: Row): Promise<number> {
  const args = ['-r', PRELOAD, join(__dirname, 'row-process.ts'), `${ROWS.indexOf(row)}`]
  const env = { ...process.env, LAHJA_TEST_COMPILED: compilationDirectory() }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 120_000 })
  return Number(stdout)
}
