import { type ProcessHistory, readHistory } from '../chaos/merged-history'
import { PythonPeer } from './python-peer'

/** `member.py` in its own process: the same peer, which records its history. */
export class PythonMember extends PythonPeer {
  readonly #log: string

  constructor(python: string, directory: string, log: string, name: string) {
    super(python, [directory, log, name], 'member.py')
    this.#log = log
  }

  /** Resolves when it has recorded its peers. */
  async look(at: number): Promise<void> {
    this.command({ do: 'look', at })
    await this.reported('looked', (report) => report.at === at)
  }

  /** Its own records. */
  history(process: number): ProcessHistory {
    return readHistory(process, this.#log)
  }
}
