import { join } from 'node:path'
import { Child } from '../workers/child'
import { inScratchDirectory } from '../workers/scratch-directory'

/**
 * Measures a process with `few` linked endpoints, then with `many`.
 *
 * @returns bytes of resident memory for each end of a link, with a share of the endpoints themselves
 */
export async function idleLinkBytes(few: number, many: number): Promise<number> {
  return inScratchDirectory(async (directory) => {
    const args = [directory, String(few), String(many)]
    const mesh = new Child('the full mesh', join(__dirname, 'full-mesh.js'), args, { execArgv: ['--expose-gc'] })
    try {
      return Number(await mesh.message())
    } finally {
      await mesh.kill()
    }
  })
}
