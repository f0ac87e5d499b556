/** A line of a text, without its line break. Numbers begin with 1. */
export interface Line {
  readonly number: number
  readonly text: string
}

/** The lines of a text, whatever its line breaks, and whether or not the last line has one. */
export function linesOf(text: string): Line[] {
  const parts = text.split(/\r?\n/)
  if (parts.at(-1) === '') parts.pop()
  return parts.map((part, index) => ({ number: index + 1, text: part }))
}

/** The lines that begin a paragraph: those with words on them that follow none, or a line without any. */
export function openingsOf(lines: readonly Line[]): Line[] {
  return lines.filter((line, index) => {
    const before = lines[index - 1]
    return wordsIn(line) > 0 && (before === undefined || wordsIn(before) === 0)
  })
}

export function wordsIn({ text }: Line): number {
  return text.match(/\S+/g)?.length ?? 0
}

/** The number of the line after which the reader waits for the latecomer. */
export function middleOf(lines: readonly Line[]): number {
  return Math.ceil(lines.length / 2)
}
