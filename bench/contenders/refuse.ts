/** In the place of what a contender does not do. */
export function refuse(): never {
  throw new Error('expected a contender that carries requests, got one that does not')
}
