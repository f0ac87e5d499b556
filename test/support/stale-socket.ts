import { execFileSync } from 'node:child_process'
import { lstatSync } from 'node:fs'
import { expect } from 'chai'

/** Socket files whose process has ended without removing them. */
export function leaveStaleSocket(...paths: string[]): void {
  const script = `
    const { createServer } = require('node:net')
    const paths = ${JSON.stringify(paths)}
    let count = 0
    for (const path of paths) createServer().listen(path, () => ++count === paths.length && process.kill(process.pid, 'SIGKILL'))
  `
  try {
    execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' })
  } catch {
    // It has killed itself.
  }
  for (const path of paths) expect(lstatSync(path).isSocket()).to.equal(true)
}
