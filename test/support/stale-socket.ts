import { execFileSync } from 'node:child_process'
import { lstatSync } from 'node:fs'
import { expect } from 'chai'

/** A socket file whose process has ended without removing it. */
export function leaveStaleSocket(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  try {
    execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' })
  } catch {
    // It has killed itself.
  }
  expect(lstatSync(path).isSocket()).to.equal(true)
}
