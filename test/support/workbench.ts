import type { Receipt } from '../../src/channel/receive-window'
import type { Event } from '../../src/model/event'

/** A running call. */
interface Call {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Resolves when the current turn of the event loop is over. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A handler whose calls the test ends. */
export class Workbench {
  readonly started: unknown[] = []
  readonly #open: Call[] = []

  get running(): number {
    return this.#open.length
  }

  readonly handle = ({ payload }: Event): Promise<void> => {
    this.started.push(payload)
    return new Promise((resolve, reject) => this.#open.push({ resolve, reject }))
  }

  /** Ends a running call by resolving or rejecting it. */
  async finish(index: number, fails = false): Promise<void> {
    const [call] = this.#open.splice(index % Math.max(this.#open.length, 1), 1)
    if (fails) call?.reject(new Error('broken'))
    else call?.resolve()
    await turn()
  }
}

/** A receipt that counts the calls of its methods. */
export class CountedReceipt implements Receipt {
  handledTimes = 0
  givenBackTimes = 0
  readonly done = () => void this.handledTimes++
  readonly release = () => void this.givenBackTimes++

  get outcome(): [handled: number, givenBack: number] {
    return [this.handledTimes, this.givenBackTimes]
  }
}

/** An account that keeps the receipts it has given. */
export class CountedAccount {
  readonly receipts: CountedReceipt[] = []

  hold(): CountedReceipt {
    const receipt = new CountedReceipt()
    this.receipts.push(receipt)
    return receipt
  }

  get outcomes(): [handled: number, givenBack: number][] {
    return this.receipts.map(({ outcome }) => outcome)
  }
}

/** Whether the promise has resolved by the end of the turn. */
export async function isResolved(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), turn().then(() => false)])
}
