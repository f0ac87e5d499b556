import { type ProcessHistory, readHistory } from '../chaos/merged-history'
import { PythonPeer } from './python-peer'

/** `member.py` in a process of its own: the same peer, and it writes down all that it does and sees. */
export class PythonMember extends PythonPeer {
  readonly #log: string

  constructor(python: string, directory: string, log: string, name: string) {
    super(python, [directory, log, name], 'member.py')
    this.#log = log
  }

  /** Resolves when it has written down what it knows of the others. */
  async look(at: number): Promise<void> {
    this.command({ do: 'look', at })
    await this.reported('looked', (report) => report.at === at)
  }

  /** What it has written down itself. */
  history(process: number): ProcessHistory {
    return readHistory(process, this.#log)
  }
}
