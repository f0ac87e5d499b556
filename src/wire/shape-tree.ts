import { MAX_SHAPE_BYTES, MAX_SHAPE_KEYS, MAX_SHAPES, MAX_SHAPES_BYTES, type ShapeKeys } from './shape-limits'

/** The most characters of a key that is looked at. */
const MAX_KEY_LENGTH = 64

/** How often an object with these keys is written before they are told: many are never seen again. */
const TIMES_BEFORE_TOLD = 16

/** The most nodes that are added before those that lead to no record are forgotten: the program may have moved on to other objects. */
const MAX_NODES = 4096

/** The most keys that follow the same ones. Where there are more, the objects are dictionaries. */
const MAX_CHILDREN = 64

/** Of a record: the byte that begins it, and the number of its shape. */
export const RECORD_HEAD_BYTES = 2

/** A wrong guess costs twice what a right one saves. No more are made once so much has been lost. */
const MAX_LOSS = 128

/** The first keys of objects, up to one of them: a node of a tree. */
export class ShapeNode {
  readonly key: string
  readonly parent: ShapeNode | undefined
  /** How many keys they are. */
  readonly depth: number
  /** The number of the shape that has these keys and no more, once it is told. */
  shape: number | undefined
  /** How many bytes more an object of this shape takes as a map. */
  savedBytes = 0
  /** Whether a shape that is told begins with these keys. */
  hasRecords = false
  /** How often objects with these keys and no more have been written. */
  times = 0
  #loss = 0
  #last: ShapeNode | undefined
  #children: Map<string, ShapeNode> | undefined

  constructor(key = '', parent?: ShapeNode) {
    this.key = key
    this.parent = parent
    this.depth = parent ? parent.depth + 1 : 0
  }

  /** Whether an object that begins with these keys is taken for a record, until it turns out to be none. */
  get guessesRecord(): boolean {
    return this.hasRecords && this.#loss < MAX_LOSS
  }

  /** The guess was right or wrong, or would have been. */
  noteGuess(isRight: boolean): void {
    if (isRight) this.#loss = Math.max(0, this.#loss - 1)
    else if (this.guessesRecord) this.#loss += 2
  }

  /** These keys and one more, if they have been seen. */
  child(key: string): ShapeNode | undefined {
    const last = this.#last
    if (last?.key === key) return last
    const found = this.#children?.get(key)
    if (found) this.#last = found
    return found
  }

  /** Adds a key after these; undefined if too many follow already. */
  addChild(key: string): ShapeNode | undefined {
    this.#children ??= new Map()
    if (this.parent && this.#children.size === MAX_CHILDREN) return undefined
    const node = new ShapeNode(key, this)
    this.#children.set(key, node)
    this.#last = node
    return node
  }

  /** Forgets the nodes that lead to no record. */
  prune(): void {
    this.#last = undefined
    for (const [key, node] of this.#children ?? []) {
      if (node.hasRecords) node.prune()
      else this.#children?.delete(key)
    }
  }

  /** The keys from the first to this one. */
  keys(): string[] {
    const keys = this.parent?.keys() ?? []
    if (this.parent) keys.push(this.key)
    return keys
  }
}

/** Counts which objects are sent, by their keys, and chooses the shapes to tell. */
export class ShapeTree {
  readonly #root = new ShapeNode()
  readonly #shapes: ShapeKeys[] = []
  #shapesBytes = 0
  /** Nodes added since the last time that some were forgotten. */
  #nodes = 0

  /** The keys of each shape that is told, by its number. */
  get shapes(): readonly ShapeKeys[] {
    return this.#shapes
  }

  /** Forgets what is not worth remembering, if it is much. Not while objects are being written: they would lose their nodes. */
  prune(): void {
    if (this.#nodes < MAX_NODES) return
    this.#root.prune()
    this.#nodes = 0
  }

  /** The first key of an object. Undefined the first time: many are never seen again. */
  first(key: string): ShapeNode | undefined {
    const known = this.#root.child(key)
    if (known) return known
    this.#add(this.#root, key)
    return undefined
  }

  /** The next key of an object; undefined if such objects are not counted. */
  next(node: ShapeNode, key: string): ShapeNode | undefined {
    return node.child(key) ?? this.#add(node, key)
  }

  /** An object with these keys and no more has been written as a map. */
  countMap(node: ShapeNode): void {
    if (++node.times === TIMES_BEFORE_TOLD) this.#tell(node)
  }

  #add(node: ShapeNode, key: string): ShapeNode | undefined {
    if (this.#nodes === MAX_NODES || node.depth === MAX_SHAPE_KEYS) return undefined
    if (key.length > MAX_KEY_LENGTH || key === '__proto__') return undefined
    const added = node.addChild(key)
    if (added) this.#nodes++
    return added
  }

  #tell(last: ShapeNode): void {
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
    for (let node: ShapeNode | undefined = last; node; node = node.parent) node.hasRecords = true
  }
}

/** Half a pair of surrogates arrives as another character: two keys may become one. */
function isWellFormed(key: string): boolean {
  return Buffer.from(key).toString() === key
}
