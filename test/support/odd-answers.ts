import { inspect } from 'node:util'
import type { SchemaResult } from '../../src/model/schema'
import { throwing } from './throwing'

/** The same object with a getter that throws in place of this property. */
function unreadable<Result extends object>(result: Result, property: string): Result {
  const get = throwing(new TypeError(`no ${property}`))
  return Object.defineProperty(result, property, { get, enumerable: true })
}

const oddPath = (path: unknown) => Object.defineProperty({ message: 'odd' }, 'path', { value: path, enumerable: true })

/** What a schema that is not written in TypeScript may answer, each with what the error says of it. */
export const ODD_ANSWERS: Readonly<Record<string, readonly [answer: () => SchemaResult<string>, says: RegExp]>> = {
  'an issue whose path is null': [() => ({ issues: [oddPath(null)] }), /does not match its schema: odd$/],
  'an issue whose path is a number': [() => ({ issues: [oddPath(5)] }), /does not match its schema: odd$/],
  'an issue with null in its path': [() => ({ issues: [oddPath([null, 'x'])] }), /schema: null\.x: odd$/],
  'an issue whose path cannot be read': [
    () => ({ issues: [unreadable({ message: 'odd', path: [] }, 'path'), { message: 'next' }] }),
    /does not match its schema: ; next$/,
  ],
  'an issue whose message cannot be read': [
    () => ({ issues: [unreadable({ message: 'odd' }, 'message'), { message: 'next' }] }),
    /does not match its schema: ; next$/,
  ],
  'an issue that is a revoked proxy': [() => ({ issues: [revoked()] }), /does not match its schema: $/],
  'a value that cannot be read': [() => unreadable({ value: 'x' }, 'value'), /its schema failed: no value$/],
  'issues with a slice of their own': [() => ({ issues: shadowing('slice') }), /does not match its schema: odd$/],
  'issues with an every of their own': [() => ({ issues: shadowing('every') }), /does not match its schema: odd$/],
  'issues with holes': [
    () => ({ issues: new Array(3) }),
    /its schema failed: expected an array of issues, got an array of 3$/,
  ],
  'issues that cannot be read': [() => unreadable({ issues: [] }, 'issues'), /its schema failed: no issues$/],
  '200,000 issues': [
    () => ({ issues: Array.from({ length: 200_000 }, (_, index) => ({ message: 'odd', path: [index] })) }),
    /schema: 0: odd; 1: odd; .*9: odd; …$/,
  ],
  'an object that throws when it is shown': [throwing({ [inspect.custom]: throwing('no') }), /its schema failed: /],
}

/** An issue in an array whose method of this name returns undefined. */
function shadowing(method: string): readonly { readonly message: string }[] {
  return Object.assign([{ message: 'odd' }], { [method]: () => undefined })
}

function revoked(): { readonly message: string } {
  const { proxy, revoke } = Proxy.revocable({ message: 'odd' }, {})
  revoke()
  return proxy
}
