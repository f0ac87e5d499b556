/** What is counted: look-ups, changes, and each item that an iteration comes to. */
const COUNTED: readonly (readonly [prototype: object, methods: readonly string[]])[] = [
  [Map.prototype, ['get', 'has', 'set', 'delete']],
  [Set.prototype, ['has', 'add', 'delete']],
  [Object.getPrototypeOf(new Map().values()), ['next']],
  [Object.getPrototypeOf(new Set().values()), ['next']],
]

/** The steps that are taken in maps and sets during a call: its work, which unlike its time is the same on every machine. */
export async function stepsDuring(call: () => unknown): Promise<number> {
  let steps = 0
  const restore = COUNTED.flatMap(([prototype, methods]) =>
    methods.map((name) => {
      const method: unknown = Reflect.get(prototype, name)
      if (typeof method !== 'function') throw new TypeError(`${name} is no method`)
      const counted = function (this: unknown, ...parameters: unknown[]): unknown {
        steps++
        return Reflect.apply(method, this, parameters)
      }
      Reflect.set(prototype, name, counted)
      return () => Reflect.set(prototype, name, method)
    }),
  )
  try {
    await call()
  } finally {
    for (const each of restore) each()
  }
  return steps
}
