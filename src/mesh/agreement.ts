import type { Identity } from '../model/audience'
import { describe, ProtocolViolation } from '../model/errors'
import { HANDSHAKE_FRAME_BYTES } from '../model/limits'
import { isName } from '../model/name'
import { type Address, isId } from '../platform/address'
import type { Hello } from '../wire/message'
import { NONCE_BYTES } from './secret'

/** The oldest and the newest version of the protocol that this code speaks. */
export const PROTOCOL_VERSIONS = [1, 1] as const

/** Who an endpoint is and which limits it sets its peers. */
export interface EndpointInfo extends Address, Identity {
  readonly pid: number
  readonly frameLimit: number
  readonly window: number
  readonly requestLimit: number
  readonly accepts?: readonly string[] | undefined
}

/** @param nonce for an endpoint with a secret, which makes the peer prove that it knows it too */
export function helloOf({ name, id, groups, pid, ...limits }: EndpointInfo, nonce?: Uint8Array): Hello {
  const skills = { bigints: true, records: true }
  const hello = { kind: 'hello', versions: PROTOCOL_VERSIONS, name, id, groups, pid, ...limits, ...skills } as const
  return nonce ? { ...hello, nonce } : hello
}

/** What a peer takes: of each limit, the smaller one of the two hellos. */
export interface Agreement {
  /** Bytes of body per frame. */
  readonly sendLimit: number
  /** Requests to the peer in flight. */
  readonly requestLimit: number
  /** Whether the peer takes integers over 64 bits. */
  readonly takesBigints: boolean
  /** Whether the peer takes records. */
  readonly takesRecords: boolean
}

/**
 * Checks a peer's hello against ours.
 *
 * @param expected the address that was dialled, if we are the dialler
 * @throws ProtocolViolation for invalid fields, the wrong peer, or no common version
 */
export function agree(ours: Hello, theirs: Hello, expected: Address | undefined): Agreement {
  const { name, id, groups, nonce, frameLimit, window, requestLimit, bigints, records } = theirs
  if (!isName(name) || !isId(id) || !groups.every(isName)) {
    throw malformed(`hello has an invalid name, id or group: ${[name, id, ...groups].map(describe).join(', ')}`)
  }
  if (expected && (name !== expected.name || id !== expected.id)) {
    const text = `dialled ${expected.name}~${expected.id}, but ${name}~${id} answered`
    throw new ProtocolViolation('wrong-peer', text)
  }
  const nonceBytes = nonce?.length ?? NONCE_BYTES
  if (nonceBytes !== NONCE_BYTES) throw malformed(`hello.nonce has ${nonceBytes} bytes instead of ${NONCE_BYTES}`)
  if (Math.min(ours.versions[1], theirs.versions[1]) < Math.max(ours.versions[0], theirs.versions[0])) {
    const [here, there] = [ours, theirs].map(({ versions }) => [...new Set(versions)].join(' to '))
    const text = `${name} speaks protocol version ${there}, ${ours.name} speaks ${here}; upgrade the older one`
    throw new ProtocolViolation('version-mismatch', text)
  }
  const least = HANDSHAKE_FRAME_BYTES
  if (frameLimit < least) throw malformed(`hello.frameLimit is ${frameLimit}, below ${least}`)
  const counts = `hello.window and hello.requestLimit are ${window} and ${requestLimit}`
  if (window < 1 || requestLimit < 1) throw malformed(`${counts}; both must be at least 1`)
  return {
    sendLimit: Math.min(ours.frameLimit, frameLimit),
    requestLimit: Math.min(ours.requestLimit, requestLimit),
    takesBigints: bigints === true,
    // What looks for large integers in an event passes over no records.
    takesRecords: records === true && bigints === true,
  }
}

function malformed(text: string): ProtocolViolation {
  return new ProtocolViolation('malformed', text)
}
