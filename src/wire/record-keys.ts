/** The keys of objects of the same kind, in their order. */
export type ShapeKeys = readonly string[]

/** The most shapes that an endpoint tells: their number takes a byte. */
export const MAX_SHAPES = 256

/** The most keys of a shape. */
export const MAX_SHAPE_KEYS = 64

/** The most bytes of the keys of a shape, so that every peer takes the message that tells it. */
export const MAX_SHAPE_BYTES = 2048

/** The most bytes of the keys of all of an endpoint's shapes. */
export const MAX_SHAPES_BYTES = 64 * 1024

/** The most characters of a key that is looked at. */
const MAX_KEY_LENGTH = 64

/** So often an object with these keys is written before they are told: many are never seen again. */
const TIMES_BEFORE_TOLD = 16

/** The most steps that are added before those that lead to no record are forgotten: the program may send other objects now. */
const MAX_STEPS = 4096

/** The most keys that follow the same ones. An object with more is a dictionary. */
const MAX_FOLLOWERS = 64

/** Of a record: the byte that begins it, and the number of its shape. */
export const RECORD_HEAD_BYTES = 2

/** A wrong guess costs twice what a right one saves. No more are made once so much has been lost. */
const MAX_LOSS = 128

/** The first keys of objects, up to one of them: a step of a tree. */
export class KeyStep {
  readonly key: string
  readonly before: KeyStep | undefined
  /** How many keys they are. */
  readonly count: number
  /** The number of the shape that has these keys and no more, once it is told. */
  shape: number | undefined
  /** How many bytes more an object of this shape takes as a map. */
  savedBytes = 0
  /** Whether a shape that is told begins with these keys. */
  hasRecords = false
  /** How often objects with these keys and no more have been written. */
  times = 0
  #loss = 0
  #last: KeyStep | undefined
  #followers: Map<string, KeyStep> | undefined

  constructor(key = '', before?: KeyStep) {
    this.key = key
    this.before = before
    this.count = before ? before.count + 1 : 0
  }

  /** Whether to guess that an object which begins with these keys is a record. */
  get isPromising(): boolean {
    return this.hasRecords && this.#loss < MAX_LOSS
  }

  /** It would have been right, or wrong. */
  judge(isRight: boolean): void {
    if (isRight) this.#loss = Math.max(0, this.#loss - 1)
    else if (this.isPromising) this.#loss += 2
  }

  /** These keys and one more, if they have been seen. */
  next(key: string): KeyStep | undefined {
    const last = this.#last
    if (last?.key === key) return last
    const found = this.#followers?.get(key)
    if (found) this.#last = found
    return found
  }

  /** The same for another one; undefined where there are too many. */
  add(key: string): KeyStep | undefined {
    this.#followers ??= new Map()
    if (this.before && this.#followers.size === MAX_FOLLOWERS) return undefined
    const step = new KeyStep(key, this)
    this.#followers.set(key, step)
    this.#last = step
    return step
  }

  /** Forgets the steps that lead to no record. */
  prune(): void {
    this.#last = undefined
    for (const [key, step] of this.#followers ?? []) {
      if (step.hasRecords) step.prune()
      else this.#followers?.delete(key)
    }
  }

  /** All of them, in order. */
  keys(): string[] {
    const keys = this.before?.keys() ?? []
    if (this.before) keys.push(this.key)
    return keys
  }
}

/** Finds out which objects an endpoint sends again and again, so that their keys are told once. */
export class RecordKeys {
  readonly #root = new KeyStep()
  readonly #shapes: ShapeKeys[] = []
  #shapesBytes = 0
  /** Steps added since the last time that some were forgotten. */
  #steps = 0

  /** The keys of each shape that is told, by its number. */
  get shapes(): readonly ShapeKeys[] {
    return this.#shapes
  }

  /** Forgets what is not worth remembering, if it is much. Not while objects are being written: they would lose their steps. */
  prune(): void {
    if (this.#steps < MAX_STEPS) return
    this.#root.prune()
    this.#steps = 0
  }

  /** The first key of an object. Undefined the first time: many are never seen again. */
  begin(key: string): KeyStep | undefined {
    const known = this.#root.next(key)
    if (known) return known
    this.#add(this.#root, key)
    return undefined
  }

  /** Another one. Undefined where such objects are not looked at. */
  follow(step: KeyStep, key: string): KeyStep | undefined {
    return step.next(key) ?? this.#add(step, key)
  }

  /** An object with these keys and no more has been written as a map. */
  count(step: KeyStep): void {
    if (++step.times === TIMES_BEFORE_TOLD) this.#tell(step)
  }

  #add(step: KeyStep, key: string): KeyStep | undefined {
    if (this.#steps === MAX_STEPS || step.count === MAX_SHAPE_KEYS) return undefined
    if (key.length > MAX_KEY_LENGTH || key === '__proto__') return undefined
    const added = step.add(key)
    if (added) this.#steps++
    return added
  }

  #tell(last: KeyStep): void {
    const keys = last.keys()
    const lengths = keys.map((key) => Buffer.byteLength(key))
    const bytes = lengths.reduce((sum, length) => sum + length, 0)
    if (bytes > MAX_SHAPE_BYTES || !keys.every(isWellFormed)) return
    if (this.#shapes.length === MAX_SHAPES || this.#shapesBytes + bytes > MAX_SHAPES_BYTES) return
    const heads = lengths.reduce((sum, length) => sum + (length < 0x20 ? 1 : 2), 0)
    last.savedBytes = bytes + heads + (keys.length < 0x10 ? 1 : 3) - RECORD_HEAD_BYTES
    last.shape = this.#shapes.length
    this.#shapesBytes += bytes
    this.#shapes.push(keys)
    for (let step: KeyStep | undefined = last; step; step = step.before) step.hasRecords = true
  }
}

/** Half a pair of surrogates arrives as another character: two keys may become one. */
function isWellFormed(key: string): boolean {
  return Buffer.from(key).toString() === key
}
