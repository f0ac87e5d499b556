/** A function that throws this when it is called. */
export function throwing(thrown: unknown): () => never {
  return () => {
    throw thrown
  }
}
