import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A fresh directory of mode 0700 for each test of the suite that calls this, removed after it. Hooks that end what uses
 * it have to be there before this is called: hooks run in the order in which they were made.
 */
export function temporaryDirectory(): { readonly path: string } {
  let path = ''
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'lahja-'))
  })
  afterEach(() => rmSync(path, { recursive: true, force: true }))
  return {
    get path() {
      return path
    },
  }
}
