/** The next warning of this process that says so; others, of whatever has been left to warn, are none of its business. */
export function warningThat(says: (warning: Error) => boolean): Promise<Error> {
  return new Promise((resolve) => {
    const check = (warning: Error) => {
      if (!says(warning)) return
      process.off('warning', check)
      resolve(warning)
    }
    process.on('warning', check)
  })
}
