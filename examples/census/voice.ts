import type { Endpoint } from 'lahja'

/** Tells the people who watch, in one line. */
export function say(text: string): void {
  console.log(text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '·'))
}

/** Milliseconds from one report of progress to the next. */
const INTERVAL = 400

/** The same, but not so often that nobody can read it. */
export function occasionally(text: () => string): () => void {
  let next = performance.now() + INTERVAL
  return () => {
    const now = performance.now()
    if (now < next) return
    next = now + INTERVAL
    say(text())
  }
}

/** Says who is there, who comes and who goes. */
export function sayWhoIsThere(endpoint: Endpoint): void {
  const names = endpoint.peers.map(({ name }) => name)
  say(`joins the bus, where ${names.length > 0 ? `${names.join(', ')} can be seen` : 'nobody is yet'}`)
  endpoint.on('joined', ({ name }) => say(`sees ${name} join`))
  endpoint.on('left', ({ name }) => say(`sees ${name} leave`))
  endpoint.on('lost', ({ name }, { cause }) => say(`has lost ${name}: ${cause.message}`))
  endpoint.on('gap', ({ peer, count }) => say(`has missed ${count} events from ${peer.name}`))
}

/** Runs a program; what it throws becomes one line and exit code 1. */
export function run(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode ||= 1
  })
}
