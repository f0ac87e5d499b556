/** A promise, and whether it has been fulfilled. */
export class Watched {
  readonly done: Promise<void>
  isDone = false

  constructor(promise: Promise<unknown>) {
    this.done = promise.then(() => {
      this.isDone = true
    })
  }
}
