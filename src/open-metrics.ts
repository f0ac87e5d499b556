import type { EndpointStats } from './stats'

/** Of metrics: what only grows, and what goes up and down. */
type Kind = 'counter' | 'gauge'

/** Names and values that tell the samples of a metric apart. */
type Labels = Readonly<Record<string, string>>

/** A metric: its samples are taken from what there is one of for each type, peer or subscription. */
interface Metric<Source> {
  readonly name: string
  readonly kind: Kind
  readonly help: string
  readonly value: (source: Source) => number
}

const counter = <Source>(name: string, help: string, value: (source: Source) => number): Metric<Source> => {
  return { name, kind: 'counter', help, value }
}

const gauge = <Source>(name: string, help: string, value: (source: Source) => number): Metric<Source> => {
  return { name, kind: 'gauge', help, value }
}

type EventStats = EndpointStats['events'][number]
type RequestStats = EndpointStats['requests'][number]
type PeerStats = EndpointStats['peers'][number]
type SubscriptionStats = EndpointStats['subscriptions'][number]
type QueueStats = EndpointStats['queues'][number]

const EVENTS: readonly Metric<EventStats>[] = [
  counter('events_sent', 'Events broadcast by this endpoint.', ({ sent }) => sent),
  counter('events_deliveries', 'Endpoints and queues that events were sent to.', ({ deliveries }) => deliveries),
  counter('events_sent_bytes', 'Bytes of events sent, for all receivers.', ({ sentBytes }) => sentBytes),
  counter('events_received', 'Events that have arrived.', ({ received }) => received),
  counter('events_received_bytes', 'Bytes of events that have arrived.', ({ receivedBytes }) => receivedBytes),
  counter('events_handled', 'Events that a handler has handled or a stream has kept.', ({ handled }) => handled),
  counter('events_failed', 'Events that a handler has failed on.', ({ failed }) => failed),
  counter('events_dropped', 'Events dropped for one receiver, as its outbox was full.', ({ dropped }) => dropped),
]

const REQUESTS: readonly Metric<RequestStats>[] = [
  counter('requests_asked', 'Requests made by this endpoint.', ({ asked }) => asked),
  counter('requests_answered', 'Requests with a response.', ({ answered }) => answered),
  counter('requests_failed', 'Requests that failed.', ({ failed }) => failed),
  counter('requests_timed_out', 'Requests that timed out.', ({ timedOut }) => timedOut),
  counter('requests_aborted', 'Requests that were given up.', ({ aborted }) => aborted),
  counter('requests_handled', 'Requests that a handler of this endpoint has begun.', ({ handled }) => handled),
  counter('requests_handler_failed', 'Requests that a handler of this endpoint has failed on.', (stats) => {
    return stats.handlerFailed
  }),
]

const PEERS: readonly Metric<PeerStats>[] = [
  gauge('peer_queued_events', 'Events queued for the peer.', ({ queuedEvents }) => queuedEvents),
  gauge('peer_queued_bytes', 'Bytes of events queued for the peer.', ({ queuedBytes }) => queuedBytes),
  gauge('peer_unconfirmed_events', 'Events sent that the peer has not acknowledged.', (peer) => peer.unconfirmedEvents),
  gauge('peer_window_left_bytes', 'Bytes of events that the peer takes at present.', ({ windowLeft }) => windowLeft),
  gauge('peer_lagging', '1 if senders do not wait for the peer, as it lags or does not answer.', ({ state }) => {
    return state === 'connected' ? 0 : 1
  }),
  counter('peer_dropped_events', 'Events dropped for the peer.', ({ droppedEvents }) => droppedEvents),
  counter('peer_waited_seconds', 'Time that senders have waited for the peer.', ({ waitedMs }) => waitedMs / 1000),
  counter('peer_lagged', 'How often the peer began to lag.', ({ lagged }) => lagged),
  counter('peer_gaps', 'How often the peer has dropped events for this endpoint.', ({ gaps }) => gaps),
  counter('peer_missed_events', 'Events that the peer has dropped for this endpoint.', (peer) => peer.missedEvents),
  counter('peer_reconnects', 'How often the link with the peer broke and came back.', (peer) => peer.reconnects),
]

const SUBSCRIPTIONS: readonly Metric<SubscriptionStats>[] = [
  gauge('subscription_waiting_events', 'Events that wait for the handler or the reader.', ({ waiting }) => waiting),
  gauge('subscription_running_events', 'Events that the handler is handling.', ({ running }) => running),
  counter('subscription_handled_events', 'Events handled, or kept for the reader.', ({ handled }) => handled),
  counter('subscription_failed_events', 'Events that the handler has failed on.', ({ failed }) => failed),
  counter('subscription_handler_seconds', 'Time that the handler has taken.', ({ handlerMs }) => handlerMs / 1000),
]

const QUEUES: readonly Metric<QueueStats>[] = [
  gauge('queue_members', 'Subscriptions in the queue.', ({ members }) => members),
  gauge('queue_in_hand_events', 'Events given to members and not handled.', ({ inHand }) => inHand),
  gauge('queue_waiting_events', 'Events that no member has room for.', ({ waiting }) => waiting),
  counter('queue_returned_events', 'Events that members have given back.', ({ returned }) => returned),
  counter('queue_redelivered_events', 'How often events have been given again.', ({ redelivered }) => redelivered),
  counter('queue_dead_events', 'Events broadcast as dead letters.', ({ dead }) => dead),
]

const ENDPOINT: readonly Metric<EndpointStats>[] = [
  gauge('peers', 'Endpoints that this one is linked with.', ({ peers }) => peers.length),
  gauge('uptime_seconds', 'Time since the endpoint started.', ({ uptimeMs }) => uptimeMs / 1000),
  gauge('process_resident_bytes', 'Memory of the process.', ({ process }) => process.rss),
  gauge(
    'process_heap_bytes',
    'Memory of the process that holds JavaScript objects.',
    ({ process }) => process.heapUsed,
  ),
  gauge('process_loop_utilization', 'Share of its time that the event loop has been busy.', ({ process }) => {
    return process.loopUtilization
  }),
  gauge('process_loop_delay_seconds', 'How late 99 of 100 timers were at most.', ({ process }) => {
    return process.loopDelay.p99Ms / 1000
  }),
]

/**
 * An endpoint's numbers in OpenMetrics text, which Prometheus reads. All names begin with `lahja_`.
 *
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
export function openMetricsOf(stats: EndpointStats): string {
  const { name: endpoint, events, requests, peers, subscriptions, queues } = stats
  const lines = [
    ...linesOf(ENDPOINT, [stats], () => ({ endpoint })),
    ...linesOf(EVENTS, events, ({ type }) => ({ endpoint, type })),
    ...linesOf(REQUESTS, requests, ({ type }) => ({ endpoint, type })),
    ...latencyLines(endpoint, requests),
    ...linesOf(PEERS, peers, ({ name }) => ({ endpoint, peer: name })),
    ...linesOf(SUBSCRIPTIONS, subscriptions, ({ type, queue = '' }, index) => {
      return { endpoint, type, queue, subscription: String(index) }
    }),
    ...linesOf(QUEUES, queues, ({ name }) => ({ endpoint, queue: name })),
    '# EOF',
  ]
  return `${lines.join('\n')}\n`
}

function* linesOf<Source>(
  metrics: readonly Metric<Source>[],
  sources: readonly Source[],
  labelsOf: (source: Source, index: number) => Labels,
): Generator<string> {
  if (sources.length === 0) return
  const labels = sources.map((source, index) => textOf(labelsOf(source, index)))
  for (const { name, kind, help, value } of metrics) {
    yield* headOf(name, kind, help)
    const suffix = kind === 'counter' ? '_total' : ''
    for (const [index, source] of sources.entries()) {
      yield `lahja_${name}${suffix}${labels[index]} ${value(source)}`
    }
  }
}

function* latencyLines(endpoint: string, requests: readonly RequestStats[]): Generator<string> {
  if (requests.length === 0) return
  const name = 'request_seconds'
  yield* headOf(name, 'histogram', 'Time until the response.')
  for (const { type, latency } of requests) {
    let count = 0
    for (const [index, requestsInIt] of latency.buckets.entries()) {
      count += requestsInIt
      const bound = latency.boundsMs[index]
      const le = bound === undefined ? '+Inf' : String(bound / 1000)
      yield `lahja_${name}_bucket${textOf({ endpoint, type, le })} ${count}`
    }
    yield `lahja_${name}_count${textOf({ endpoint, type })} ${latency.count}`
    yield `lahja_${name}_sum${textOf({ endpoint, type })} ${latency.sumMs / 1000}`
  }
}

function* headOf(name: string, kind: Kind | 'histogram', help: string): Generator<string> {
  yield `# TYPE lahja_${name} ${kind}`
  yield `# HELP lahja_${name} ${help}`
}

function textOf(labels: Labels): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
