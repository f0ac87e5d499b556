import { spawnSync } from 'node:child_process'
import { expect } from 'chai'

/** Tests that need Python. Without it they are skipped with a warning, or fail in CI. */
export function describeWithPython(title: string, test: (python: string) => void): void {
  const python = findPython()
  if (python !== undefined) {
    describe(title, () => test(python))
  } else if (process.env.CI === 'true') {
    describe(title, () => {
      it('has a Python 3 with msgpack', () => expect.fail('expected python3 and python3-msgpack to be installed'))
    })
  } else {
    console.warn(`SKIPPED: ${title}. No Python 3 with msgpack was found; Debian has it as python3-msgpack.`)
  }
}

/** The first Python 3 that has msgpack: Debian's package is for Debian's Python only, which may not be the first one. */
function findPython(): string | undefined {
  const candidates = [process.env.PYTHON, 'python3', '/usr/bin/python3']
  return candidates.find((python) => {
    return (
      python !== undefined &&
      spawnSync(python, ['-c', 'import msgpack, sys; assert sys.version_info >= (3, 8)']).status === 0
    )
  })
}
