import type { Endpoint, EventType, SubscribeOptions } from '../../src'

/** The payloads that the endpoint receives from now on. Resolves when its peers know of the subscription. */
export async function payloadsAt<Payload, Input>(
  endpoint: Endpoint,
  type: EventType<Payload, Input>,
  options: SubscribeOptions = {},
): Promise<Payload[]> {
  const payloads: Payload[] = []
  await endpoint.subscribe(type, ({ payload }) => payloads.push(payload), options).ready
  return payloads
}
