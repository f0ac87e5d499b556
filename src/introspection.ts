import type { Interest } from './model/interest'
import type { Peer } from './peers'
import type { Service } from './requests/responders'
import type { EndpointStats } from './stats'

/** What `$lahja.ping` answers. */
export interface EndpointPing {
  readonly name: string
  readonly id: string
  readonly pid: number
}

/** An endpoint that answers questions about itself. */
interface Introspected {
  readonly self: EndpointPing
  readonly peers: { readonly all: readonly Peer[] }
  stats(): EndpointStats
}

type Question = '$lahja.stats' | '$lahja.peers' | '$lahja.ping'

const QUESTIONS: readonly Question[] = ['$lahja.stats', '$lahja.peers', '$lahja.ping']

/** The interests that every endpoint may have, and that none announces. */
export const UNANNOUNCED: readonly Interest[] = QUESTIONS.map((type) => ({ type, responds: true }))

/** How an endpoint answers reserved requests. */
export function introspectionServices(endpoint: Introspected): readonly Service[] {
  const rest = { schemas: {}, sendStack: false, concurrency: Number.POSITIVE_INFINITY, signal: undefined }
  return QUESTIONS.map((type) => ({ type, handler: () => answerTo(type, endpoint), ...rest }))
}

function answerTo(question: Question, endpoint: Introspected): unknown {
  switch (question) {
    case '$lahja.stats':
      return endpoint.stats()
    case '$lahja.peers':
      // Their lists of types are made when they are read.
      return endpoint.peers.all.map((peer) => ({ ...peer }))
    case '$lahja.ping': {
      const { name, id, pid } = endpoint.self
      return { name, id, pid }
    }
    default:
      return question satisfies never
  }
}
