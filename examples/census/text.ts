/** A line of a text, without its line break. Numbering starts at 1. */
export interface Line {
  readonly number: number
  readonly text: string
}

/** The lines of a text with LF or CRLF line breaks. A line break at the end adds no empty line. */
export function linesOf(text: string): Line[] {
  const parts = text.split(/\r?\n/)
  if (parts.at(-1) === '') parts.pop()
  return parts.map((part, index) => ({ number: index + 1, text: part }))
}

/** The first lines of paragraphs: lines with words, at the beginning or after a line without words. */
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
