import type { Mutant } from './mutant'

/** Mistakes that the simulation must notice. */
export const MUTANTS: readonly Mutant[] = [
  {
    mistake: 'two endpoints that dial each other keep both links',
    file: 'mesh/mesh',
    original: `    if (this.#links.has(id)) return link.refuse('duplicate', 'there is a link already')
    if (this.#dialers.hasConnected(peer) && precedes(this.#context.self.id, id)) {
      return link.refuse('duplicate', 'the dial of the smaller id stands')
    }
    const replaced = this.#dialers.replace(peer, link)
    this.#accept(link, peer)
    replaced?.stop()
`,
    replacement: `    this.#accept(link, peer)
`,
    breaks: ['G3'],
  },
  {
    mistake: 'a gap is not announced',
    file: 'channel/backlog',
    original: 'chunks.push(bytes.subarray(start, end))',
    replacement: '',
    breaks: ['G5'],
  },
  {
    mistake: 'a gap is announced after the events that follow it',
    file: 'channel/backlog',
    original: 'if (!next) return this.#addTrailingGap(run.gap, cuts)',
    replacement: 'if (!next || next.next) return this.#addTrailingGap(run.gap, cuts)',
    breaks: ['G5'],
  },
  {
    mistake: 'credit is granted before events are handled',
    file: 'channel/receive-window',
    original: 'this.#held ??= new HeldEvent(() => (isAssigned ? this.#assignedDone(bytes) : this.#done(bytes)))',
    replacement: 'if (!this.#held) this.#done(bytes)\n    this.#held ??= new HeldEvent(() => {})',
    breaks: ['G7'],
    profile: 'loaded',
  },
  {
    mistake: 'the newest events are sent first',
    file: 'channel/backlog',
    original: 'const run = this.#first\n      const cut',
    replacement: 'const run = this.#last ?? this.#first\n      const cut',
    breaks: ['G4'],
  },
  {
    mistake: 'an ordered request overtakes events that are queued',
    file: 'channel/outbox',
    original: 'if (isOrdered) this.#ordered',
    replacement: 'if (isOrdered && this.#backlog.isEmpty) this.#ordered',
    breaks: ['G11'],
  },
  {
    mistake: 'goodbye is sent before all events',
    file: 'mesh/link',
    original: "await this.outbox.flushed()\n    if (this.#phase !== 'up') return",
    replacement: "await Promise.resolve()\n    if (this.#phase !== 'up') return",
    breaks: ['G12'],
  },
  {
    mistake: 'a name is not claimed',
    file: 'mesh/mesh',
    original: 'await this.#claim.contest(addresses, waitForName)\n      for (const',
    replacement: 'await this.#claim.contest([])\n      for (const',
    breaks: ['G10'],
  },
  {
    mistake: 'two endpoints that claim a name both give way',
    file: 'mesh/name-claim',
    original: `if (this.#state === 'claiming' && precedes(challenger, this.#context.self.id)) this.#state`,
    replacement: `if (this.#state === 'claiming') this.#state`,
    breaks: ['G10'],
  },
  {
    mistake: 'a subscription receives events after unsubscribe',
    file: 'events/subscriptions',
    original: `this.#receivers.remove(interest.type, consumer)
        ended?.()
        if (interest.member !== undefined) inboxes.close(interest.member)
        consumer.close()`,
    replacement: '',
    breaks: ['G2'],
  },
  {
    mistake: 'the origin filter of a subscription is ignored',
    file: 'model/interest',
    original: 'return interest.from === undefined || includes(interest.from, origin)',
    replacement: 'return interest.from === undefined || includes(interest.from, origin) || true',
    breaks: ['G2'],
  },
  {
    mistake: 'a request whose responder is lost is sent to another',
    file: 'requests/pending-requests',
    original: `this.#settle(pending, { kind: 'failure', error })
    }
    this.retry()`,
    replacement: `pending.channel = undefined
      if (error) this.#place(pending)
    }
    this.retry()`,
    breaks: ['G11'],
    profile: 'loaded',
  },
  {
    mistake: 'a response does not settle its request',
    file: 'requests/pending-requests',
    original: 'if (!pending) return',
    replacement: 'if (!pending || pending.channel === channel) return',
    breaks: ['G11'],
  },
  {
    mistake: 'queued events of a lost peer are not counted',
    file: 'channel/outbox',
    original: 'return { undelivered, unconfirmed: this.#sendWindow.unconfirmed }',
    replacement: 'return { undelivered: Math.min(undelivered, 0), unconfirmed: 0 }',
    breaks: ['G5'],
  },
  {
    mistake: 'a new link does not learn of existing subscriptions',
    file: 'mesh/link',
    original: 'this.#exchange.announceAll(this.#context.interest())',
    replacement: '',
    breaks: ['G6', 'G9'],
  },
  {
    mistake: 'a silent peer is lost',
    file: 'mesh/link',
    original: `if (becameUnresponsive) this.#context.traffic.pace(this, 'unresponsive')`,
    replacement: `if (becameUnresponsive) this.#context.traffic.pace(this, 'unresponsive')
    if (becameUnresponsive) this.#fail(new ConnectionFailed('expected a sign of life'))`,
    breaks: ['G13'],
  },
  {
    mistake: 'patience has no end',
    file: 'channel/lag',
    original: 'now - readAt >= this.#limits.patience ||',
    replacement: 'now - readAt >= this.#limits.patience + 3000 ||',
    breaks: ['G8'],
    profile: 'loaded',
  },
  {
    mistake: 'the directory is scanned only after a watch hint',
    file: 'mesh/discovery',
    original: 'this.#schedule(this.#wasHinted ? HINT_DELAY : this.#context.limits.rescanInterval)',
    replacement: 'if (this.#wasHinted) this.#schedule(HINT_DELAY)',
    breaks: ['G9'],
    profile: 'hidden',
  },
  {
    mistake: 'a buffer is reused while it is being sent',
    file: 'wire/event-encoder',
    original: 'bytes = this.#slab = this.#slabs.take()',
    replacement: '',
    breaks: ['G1', 'G3', 'G5', 'G6', 'crash'],
  },
  {
    mistake: 'chunks being written are not pinned',
    file: 'channel/backlog',
    original: 'this.#budget.slabs.pin(run.bytes)',
    replacement: '',
    breaks: ['G1', 'G3', 'G4', 'G5', 'G6', 'crash'],
    profile: 'loaded',
  },
  {
    mistake: 'an event that is given to a member of a queue loses its headers',
    file: 'queues/queue-event',
    original: 'content.bytes, redelivered, this.#headers)',
    replacement: 'content.bytes, redelivered)',
    breaks: ['G1'],
  },
  {
    mistake: 'an event that a member has returned loses its headers',
    file: 'events/queue-sender',
    original: "const assignment: Assignment = { ...message, kind: 'assign' }",
    replacement: "const assignment: Assignment = { ...message, kind: 'assign', headers: undefined }",
    breaks: ['G1'],
  },
  {
    mistake: 'the headers of an event are those of the event before it',
    file: 'endpoint-core',
    original: 'this.subscriptions.deliver({ type, payload, origin: channel.identity.name, headers }, channel)',
    replacement: `const before = this.lastHeaders
    this.lastHeaders = headers
    this.subscriptions.deliver({ type, payload, origin: channel.identity.name, headers: before ?? headers }, channel)`,
    breaks: ['G1'],
  },
  {
    mistake: 'a queue event is assigned twice',
    file: 'events/broadcaster',
    original: 'for (const delivery of deliveries) {',
    replacement: 'for (const delivery of [...deliveries, ...deliveries]) {',
    breaks: ['G3'],
  },
  {
    mistake: 'close does not wait for handlers of plain subscriptions',
    file: 'endpoint-core',
    original: 'return this.subscriptions.isIdle && ',
    replacement: 'return ',
    breaks: ['G12'],
  },
  {
    mistake: 'close does not wait for events that are on their way',
    file: 'mesh/mesh',
    original: 'await this.#missing(patience, answering, (link) => link.completed)',
    replacement: '[]',
    breaks: ['G12'],
  },
  {
    mistake: 'the last change of a leaving peer is acknowledged as complete before its events',
    file: 'mesh/link',
    original: 'this.#exchange.acknowledge(sequence, isComplete)',
    replacement: 'this.#exchange.acknowledge(sequence, true)',
    breaks: ['G12'],
  },
  {
    mistake: 'a closed endpoint acknowledges what it has dropped',
    file: 'endpoint-core',
    original: 'for (const { receiveWindow } of this.peers.links) receiveWindow.finish()',
    replacement: '',
    breaks: ['G12'],
    profile: 'leaving',
  },
  {
    mistake: 'events queued for a peer that leaves are not counted',
    file: 'endpoint-core',
    original: 'undelivered - unsent + unconfirmed - unfinished',
    replacement: 'unconfirmed - unfinished',
    breaks: ['G12'],
    profile: 'broken',
  },
  {
    mistake: 'a claim is over after its first rival',
    file: 'mesh/name-claim',
    original:
      'await Promise.all(rivals.map((rival) => this.#contestWith(rival, this.#mayBeIgnored(rival) ? part : time)))',
    replacement: 'await Promise.race([...rivals.map((rival) => this.#contestWith(rival, time)), Promise.resolve()])',
    breaks: ['G10'],
  },
  {
    mistake: 'a claim has no time for a rival that does not answer at once',
    file: 'mesh/name-claim',
    original: 'deadline ??= new Deadline(clock, timeout)',
    replacement: 'deadline ??= new Deadline(clock, timeout)\n      if (attempt > 0) return',
    breaks: ['G10'],
    profile: 'crowded',
  },
  {
    mistake: 'a handshake that is over keeps its place',
    file: 'mesh/dial-queue',
    original: 'isReleased = true\n        this.#dialled.delete(key)',
    replacement: 'isReleased = true',
    breaks: ['G9'],
  },
  {
    mistake: 'a handler is called before the sender has been told that its event has begun',
    file: 'queues/member-inbox',
    original: 'account.isBehind = true\n',
    replacement: '',
    breaks: ['G3'],
    profile: 'working',
  },
  {
    mistake: 'an event is begun although the link broke before its sender was told',
    file: 'queues/member-inbox',
    original: 'if (isWritten || !account.isLost) {',
    replacement: 'if (isWritten || account) {',
    breaks: ['G3'],
    profile: 'working',
  },
  {
    mistake: 'what a dead member had begun is given to another',
    file: 'queues/queue-member',
    original: 'notBegun: events.filter(([number]) => number > this.#begun)',
    replacement: 'notBegun: events.filter(([number]) => number >= this.#begun)',
    breaks: ['G3', 'G5'],
    profile: 'working',
  },
  {
    mistake: 'a failed write counts as if the last words of a peer had been read',
    file: 'mesh/link-ending',
    original: "cause.syscall === 'read'",
    replacement: "cause.syscall !== 'x'",
    breaks: ['G3'],
    profile: 'working',
    seeds: 1000,
  },
  {
    mistake: 'a member whose endpoint closes is given what others may have',
    file: 'queues/work-queue',
    original: 'if (found.length + assignees.length > 0) return',
    replacement: 'if (found.length + assignees.length > 1) return',
    breaks: ['G5', 'G6'],
    profile: 'working',
  },
  {
    mistake: 'returned events are not given to others',
    file: 'queues/work-queue',
    original: 'this.#waitAll(events)\n    this.deal()',
    replacement: 'this.deal()',
    breaks: ['G5', 'G6'],
    profile: 'working',
  },
  {
    mistake: 'what is to be given again after a death is forgotten',
    file: 'queues/work-queues',
    original: 'else owner.takeBack([event])',
    replacement: '',
    breaks: ['G5'],
    profile: 'dying',
  },
  {
    mistake: 'a member is given an event while another one has the event of the same key before it',
    file: 'queues/partitions',
    original: 'if (partition.current) {',
    replacement: 'if ((partition.parked?.size ?? 0) > 100) {',
    breaks: ['G4'],
    profile: 'working',
  },
  {
    mistake: 'an event behind another of its key is forgotten when that is handled',
    file: 'queues/work-queues',
    original: 'if (event.partition !== undefined) this.#queues.get(event.queue)?.settled(event.partition, event)',
    replacement: '',
    breaks: ['G5', 'G6'],
    profile: 'dying',
  },
  {
    mistake: 'a member that was stopped begins an event before it has read whether its sender recalls it',
    file: 'queues/read-lease',
    original: 'return age <= DURATION\n',
    replacement: 'return true\n',
    breaks: ['G3'],
    profile: 'stopping',
  },
]
