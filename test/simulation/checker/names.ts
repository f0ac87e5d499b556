import type { JudgedHistory } from './judged-history'
import type { Life } from './life'
import type { Violation } from './violation'

/** Milliseconds that every rival has to answer. */
const LEAST_PATIENCE = 250

/** A name has one holder, and one of its claimants gets it (G10). */
export function* judgeNames(history: JudgedHistory): Generator<Violation> {
  const unpublished = new Set(
    history.records.filter(({ kind }) => kind === 'unpublished').map(({ endpoint }) => endpoint),
  )
  const lives = [...history.lives.values()]
  for (const name of new Set(lives.map((life) => life.name))) {
    const namesakes = lives.filter((life) => life.name === name)
    for (const [place, life] of namesakes.entries()) {
      for (const later of namesakes.slice(place + 1)) {
        // An endpoint whose file was removed may lose its name, too.
        if (unpublished.has(life.label) || unpublished.has(later.label) || !holdsTogether(life, later)) continue
        const index = Math.max(life.started, later.started)
        yield { guarantee: 'G10', message: `${life.label} and ${later.label} both hold the name`, index }
      }
    }
    yield* judgeRefusals(history, namesakes)
  }
}

function holdsTogether(one: Life, other: Life): boolean {
  const start = Math.max(one.started, other.started)
  return Number.isFinite(start) && start < Math.min(one.ending, other.ending)
}

/** A refused claimant had a rival that held the name, got it, died or was silent for too long. */
function* judgeRefusals(history: JudgedHistory, namesakes: readonly Life[]): Generator<Violation> {
  for (const life of namesakes) {
    if (!Number.isFinite(life.refused) || life.refusal !== 'LAHJA_NAME_IN_USE') continue
    const rivals = crowdOf(life, namesakes)
    if (rivals.some((rival) => !Number.isFinite(rival.refused) || hasMetSilence(history, rival, rivals))) continue
    const message = `${life.label} was refused its name, and nobody has got it`
    yield { guarantee: 'G10', message, index: life.refused }
  }
}

/**
 * Has it waited for its patience, while one of them was stopped, or a connection of theirs, or while more endpoints dialled
 * than it answers at a time? Who is silent for so long counts as a holder, as nobody can know better, and those who have
 * conceded to the one that waited did so for good: so the name may be nobody's in the end. Without such a fault nobody waits
 * for so long.
 */
function hasMetSilence(history: JudgedHistory, { starting, refused }: Life, crowd: readonly Life[]): boolean {
  const [from, to] = [history.time(starting.index), history.time(refused)]
  const { handshakeTimeout, patience } = starting.record.limits
  if (to - from < Math.min(Math.max(patience, LEAST_PATIENCE), handshakeTimeout)) return false
  const dialling = [...history.lives.values()].filter(
    (life) => life.starting.index < refused && life.over > starting.index,
  )
  return crowd.some((life) => {
    if (dialling.length - 1 > life.starting.record.limits.pendingHandshakes) return true
    return life.frozenFor(from, to) > 0 || life.stalls.some((place) => starting.index < place && place < refused)
  })
}

/** All endpoints that claimed or held the name at the same time, directly or through others. */
function crowdOf(life: Life, namesakes: readonly Life[]): Life[] {
  const crowd = [life]
  for (const member of crowd) {
    for (const other of namesakes) {
      const isTogether = other.starting.index < member.over && member.starting.index < other.over
      if (isTogether && !crowd.includes(other)) crowd.push(other)
    }
  }
  return crowd
}
