import { COUNTER, INDEXER, LATECOMER, READER } from './events'
import type { Text } from './input'
import { Participant } from './participant'
import type { Total } from './tally'

/** One of the four processes failed; it has printed why. */
export class ParticipantFailed extends Error {
  readonly code: number

  constructor(name: string, code: number) {
    super(`the ${name} has failed, with exit code ${code}`)
    this.code = code
  }
}

/** Starts the four processes one after another; from then on each runs on its own. */
export class Stage {
  readonly #directory: string
  readonly #show: (name: string, text: string) => void
  readonly #participants: Participant[] = []
  #isOver = false

  /** @param directory the bus */
  constructor(directory: string, show: (name: string, text: string) => void) {
    this.#directory = directory
    this.#show = show
  }

  /**
   * Has the text read. A starting endpoint is linked with all endpoints that are there, so the reader, which starts after
   * the counter and the indexer, need not wait for them.
   *
   * @returns the total of each process
   * @throws ParticipantFailed
   */
  async perform({ path }: Text, seconds: number): Promise<Map<string, Total | undefined>> {
    const audience = [this.#start(COUNTER), this.#start(INDEXER)]
    for (const listener of audience) {
      if (!(await listener.until('listening'))) throw new ParticipantFailed(listener.name, await listener.ended)
    }
    const reader = this.#start(READER, path, String(seconds))
    if (await reader.until('reading')) this.#start(LATECOMER)

    const codes = await Promise.all(this.#participants.map(({ ended }) => ended))
    // The reader's failure comes first, because it makes the others fail.
    const failed = [reader, ...this.#participants].find((one) => codes[this.#participants.indexOf(one)] !== 0)
    if (failed) throw new ParticipantFailed(failed.name, await failed.ended)
    return new Map(this.#participants.map(({ name, total }) => [name, total]))
  }

  /** Ends all processes that are still running. */
  async clear(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#participants.map((participant) => participant.end()))
  }

  #start(name: string, ...args: readonly string[]): Participant {
    if (this.#isOver) throw new Error(`expected to start the ${name}, but it is all over`)
    const participant = new Participant(name, args, this.#directory, this.#show)
    this.#participants.push(participant)
    return participant
  }
}
