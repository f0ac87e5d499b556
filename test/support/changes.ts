import type { Endpoint } from '../../src'

type Change = 'joined' | 'left' | 'lost' | 'lagging' | 'unresponsive' | 'responsive' | 'recovered'

/** The changes of its peers that the endpoint emits from now on: `name change`. */
export function changesAt(endpoint: Endpoint, ...changes: Change[]): string[] {
  const log: string[] = []
  for (const change of changes)
    endpoint.on(change, ({ name }: { readonly name: string }) => log.push(`${name} ${change}`))
  return log
}
