import type { Endpoint } from 'lahja'

/** Prints one line for people. */
export function say(text: string): void {
  console.log(text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '·'))
}

/** Milliseconds between two reports of progress. */
const INTERVAL = 400

/** The same, but at most once per interval, so that people can read it. */
export function occasionally(text: () => string): () => void {
  let next = performance.now() + INTERVAL
  return () => {
    const now = performance.now()
    if (now < next) return
    next = now + INTERVAL
    say(text())
  }
}

/** Reports the peers that are there, join and leave. */
export function sayWhoIsThere(endpoint: Endpoint): void {
  const names = endpoint.peers.map(({ name }) => name)
  say(`joins the bus, where ${names.length > 0 ? `${names.join(', ')} can be seen` : 'nobody is yet'}`)
  endpoint.on('joined', ({ name }) => say(`sees ${name} join`))
  endpoint.on('left', ({ name }) => say(`sees ${name} leave`))
  endpoint.on('lost', ({ name }, { cause }) => say(`has lost ${name}: ${cause.message}`))
  endpoint.on('gap', ({ peer, count }) => say(`has missed ${count} events from ${peer.name}`))
}

/** Runs a program. An error it throws becomes one line and exit code 1. */
export function run(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode ||= 1
  })
}
