import type { RecordOf } from '../record'
import type { Life, Subscribed } from './life'

type Audience = RecordOf<'sent'>['to']

/** Whether a pattern matches a type. Implemented independently of the package. */
export function standsFor(pattern: string, type: string): boolean {
  const tokens = type.split('.')
  const parts = pattern.split('.')
  const hasRest = parts.at(-1) === '>'
  if (hasRest ? tokens.length < parts.length : tokens.length !== parts.length) return false
  return parts.every((part, index) => part === '*' || part === tokens[index] || (part === '>' && hasRest))
}

function includes(audience: NonNullable<Audience>, { name, groups }: Life): boolean {
  if (typeof audience === 'string') return audience === name
  return 'group' in audience ? groups.includes(audience.group) : audience.includes(name)
}

/** Whether the subscription may receive the event, by its filter and the event's audience. */
export function isMeant({ life, record }: Subscribed, sent: RecordOf<'sent'>, sender: Life): boolean {
  if (!standsFor(record.type, sent.type)) return false
  if (record.from !== undefined && !includes(record.from, sender)) return false
  if (sent.internal && life !== sender) return false
  if (sent.to !== undefined && !includes(sent.to, life)) return false
  return sent.except === undefined || !includes(sent.except, life)
}
