import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(__dirname, '..', '..')
const SOURCE = join(ROOT, 'src')

export interface CodeBlock {
  /** The name of the file that the text gives it, or ''. */
  readonly title: string
  readonly code: string
}

/** The code blocks of a page in a language, in order. */
export function codeBlocksIn(page: string, language: string): readonly CodeBlock[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  const pattern = new RegExp(`(?:\`([^\`\\n]+)\`:\\n\\n)?^\`\`\`${language}\\n([^]*?)\`\`\`$`, 'gm')
  return [...text.matchAll(pattern)].map(([, title = '', code = '']) => ({ title, code }))
}

export const sourceFiles = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)

export const sourceOf = (file: string) => readFileSync(join(SOURCE, file), 'utf8')

/** The code of each `@example` that is one block of TypeScript, with its place. */
export function docstringExamples(): readonly CodeBlock[] {
  return sourceFiles.flatMap((file) => {
    const source = sourceOf(file)
    return [...source.matchAll(/^( *\*) @example\n\1 ```ts\n((?:\1.*\n)+?)\1 ```$/gm)].map(
      ({ index, 2: lines = '' }) => {
        const line = source.slice(0, index).split('\n').length
        return { title: `src/${file}:${line}`, code: lines.replace(/^ *\* ?/gm, '') }
      },
    )
  })
}
