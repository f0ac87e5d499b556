import { InvalidArgument } from './errors'

/** Types that begin with it belong to this package: programs may request them, but not define, broadcast, subscribe to or respond to them. */
const MARK = '$'
const OWN = '$lahja.'

/** Whether a type name or a pattern is reserved. */
export function isReserved(type: string): boolean {
  return type.startsWith(MARK)
}

/** @throws InvalidArgument if it is reserved */
export function checkUnreserved(type: string): void {
  if (!isReserved(type)) return
  throw new InvalidArgument(
    `event type: '${type}' is reserved, as all types that begin with '${MARK}'; use another name`,
  )
}

/** @throws InvalidArgument unless it is a reserved type that endpoints may answer */
export function checkAskable(type: string): void {
  if (type.startsWith(OWN)) return
  throw new InvalidArgument(
    `request type: '${type}' is reserved, and no endpoint answers it; those of lahja begin with '${OWN}'`,
  )
}
