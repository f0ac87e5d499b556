/** Finds files that import each other in a circle, as `a > b > a`. Undefined if there are none. */
export function importCircle(
  files: readonly string[],
  importsOf: (file: string) => readonly string[],
): string | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(' > ')
    if (done.has(file)) return undefined
    for (const imported of importsOf(file)) {
      const circle = visit(imported, [...path, file])
      if (circle) return circle
    }
    done.add(file)
    return undefined
  }
  for (const file of files) {
    const circle = visit(file, [])
    if (circle) return circle
  }
  return undefined
}
