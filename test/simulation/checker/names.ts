import type { Case } from './case'
import type { Life } from './life'
import type { Violation } from './violation'

/** One name, one holder; and of those that claim it, one does get it (G10). */
export function* judgeNames(history: Case): Generator<Violation> {
  const unpublished = new Set(
    history.records.filter(({ kind }) => kind === 'unpublished').map(({ endpoint }) => endpoint),
  )
  const lives = [...history.lives.values()]
  for (const name of new Set(lives.map((life) => life.name))) {
    const namesakes = lives.filter((life) => life.name === name)
    for (const [place, life] of namesakes.entries()) {
      for (const later of namesakes.slice(place + 1)) {
        // Who finds its file gone may find its name taken, too.
        if (unpublished.has(life.label) || unpublished.has(later.label) || !holdsTogether(life, later)) continue
        const index = Math.max(life.started, later.started)
        yield { guarantee: 'G10', message: `${life.label} and ${later.label} both hold the name`, index }
      }
    }
    yield* judgeRefusals(namesakes)
  }
}

function holdsTogether(one: Life, other: Life): boolean {
  const start = Math.max(one.started, other.started)
  return Number.isFinite(start) && start < Math.min(one.ending, other.ending)
}

/** Who was refused had a rival: one that held the name, or one that got it, or died trying. */
function* judgeRefusals(namesakes: readonly Life[]): Generator<Violation> {
  for (const life of namesakes) {
    if (!Number.isFinite(life.refused) || life.refusal !== 'LAHJA_NAME_IN_USE') continue
    const rivals = crowdOf(life, namesakes)
    if (rivals.some((rival) => !Number.isFinite(rival.refused))) continue
    const message = `${life.label} was refused its name, and nobody has got it`
    yield { guarantee: 'G10', message, index: life.refused }
  }
}

/** All that have claimed or held the name while it did, or while one of those did. */
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
