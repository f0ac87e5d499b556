import type { Hello } from '../../src/wire/message'

/** A hello with the default limits, except for these fields. */
export function helloWith(fields: Partial<Hello> = {}): Hello {
  const limits = { frameLimit: 2 ** 20, window: 2 ** 20, requestLimit: 1024 }
  return { kind: 'hello', versions: [1, 1], name: 'raw', id: '000000000zzzz', groups: [], pid: 1, ...limits, ...fields }
}
