/** The next process warning that matches; others are ignored. */
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
