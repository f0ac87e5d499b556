import { RemoteProcess, type User } from './remote-process'

/** The processes of one test; none outlives it. */
export class ProcessGroup {
  readonly #processes = new Set<RemoteProcess>()

  /** A process whose endpoints are controlled by the test. */
  participant(user?: User): Promise<RemoteProcess> {
    return this.#add(new RemoteProcess('participant.ts', [], user))
  }

  participants(count: number): Promise<RemoteProcess[]> {
    return Promise.all(Array.from({ length: count }, () => this.participant()))
  }

  /** A participant with this limit of file descriptors. */
  participantWithin(descriptors: number): Promise<RemoteProcess> {
    const command = `ulimit -n ${descriptors} && exec "$0" "$@"`
    return this.#add(new RemoteProcess('participant.ts', [], {}, ['sh', '-c', command]))
  }

  /** A participant without free inotify instances; Linux only. */
  blindParticipant(): Promise<RemoteProcess> {
    const command = 'echo 0 >/proc/sys/user/max_inotify_instances && exec "$0" "$@"'
    const launcher = ['unshare', '--user', '--map-root-user', 'sh', '-c', command]
    return this.#add(new RemoteProcess('participant.ts', [], {}, launcher))
  }

  run(script: string, ...args: readonly string[]): Promise<RemoteProcess> {
    return this.#add(new RemoteProcess(script, args))
  }

  /** Kills all processes; resolves when they have exited. */
  async end(): Promise<void> {
    const processes = [...this.#processes]
    this.#processes.clear()
    for (const running of processes) running.kill()
    await Promise.all(processes.map(({ exit }) => exit))
  }

  #add(started: RemoteProcess): Promise<RemoteProcess> {
    this.#processes.add(started)
    return started.listening()
  }
}
