import type { Endpoint, LahjaError } from '../../src'

/** The errors that an endpoint reports from now on. */
export function reportsOf(endpoint: Endpoint): LahjaError[] {
  const errors: LahjaError[] = []
  endpoint.on('error', (error) => errors.push(error))
  return errors
}

/** The codes of errors. */
export function codesOf(errors: readonly LahjaError[]): string[] {
  return errors.map(({ code }) => code)
}
