import { resolve, sep } from 'node:path'

const SOURCE = resolve(__dirname, '../../src') + sep

/** The package once more, as if it were installed twice: no module of the copy is one of ours. */
export function packageCopy(): typeof import('../../src') {
  const isOurs = (path: string) => path.startsWith(SOURCE)
  const ours = Object.entries(require.cache).filter(([path]) => isOurs(path))
  const forget = () => {
    for (const path of Object.keys(require.cache)) if (isOurs(path)) delete require.cache[path]
  }
  forget()
  try {
    return require('../../src')
  } finally {
    forget()
    Object.assign(require.cache, Object.fromEntries(ours))
  }
}
