import type { Endpoint, Event, EventType, SubscribeOptions, Subscription } from '../../src'
import { HeldHandler } from './held-handler'

/** A queue member that records its events. */
export interface Member {
  readonly subscription: Subscription
  readonly got: unknown[]
}

/** Options of members to which events are dealt when they are broadcast. */
export const DEALT = { queue: 'workers', prefetch: Number.POSITIVE_INFINITY } as const

/** Joins the endpoint to a queue and resolves when its peers know. */
export async function join(
  endpoint: Endpoint,
  type: EventType,
  options: SubscribeOptions = { queue: 'workers' },
  handle: (event: Event) => unknown = () => {},
): Promise<Member> {
  const got: unknown[] = []
  const subscription = endpoint.subscribe(
    type,
    (event) => {
      got.push(event.payload)
      return handle(event)
    },
    options,
  )
  await subscription.ready
  return { subscription, got }
}

/** Joins the endpoint to the queue `workers` of the type `job`, with a handler whose calls the test ends. */
export async function joinHeld(
  endpoint: Endpoint,
  concurrency = 1,
  prefetch: SubscribeOptions['prefetch'] = DEALT.prefetch,
): Promise<Member & { readonly held: HeldHandler }> {
  const held = new HeldHandler()
  return { ...(await join(endpoint, 'job', { queue: 'workers', concurrency, prefetch }, held.handle)), held }
}

/** The unfinished events of each peer that leaves the endpoint from now on. */
export function leavesOf(endpoint: Endpoint): [name: string, unfinished: number][] {
  const left: [string, number][] = []
  endpoint.on('left', ({ name }, { unfinished }) => left.push([name, unfinished]))
  return left
}

/** All events of these members, sorted by number. */
export function allOf(...members: Member[]): number[] {
  return members.flatMap(({ got }) => got.map(Number)).sort((one, other) => one - other)
}

/** 0 to count - 1. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number)
}
