/** Native promises with a `then` of their own. */
export const ODD_PROMISES: Record<string, () => Promise<void>> = {
  'calls back twice': () => withThen((settled) => [settled(), settled()]),
  'never calls back': () => withThen(() => {}),
  throws: () =>
    withThen(() => {
      throw new Error('odd')
    }),
}

function withThen(then: (settled: () => void) => unknown): Promise<void> {
  const promise = Promise.resolve()
  return Object.assign(promise, {
    // biome-ignore lint/suspicious/noThenProperty: That is the point.
    then(settled: () => void) {
      then(settled)
      return new Promise(() => {})
    },
  })
}
