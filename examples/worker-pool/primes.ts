import { defineRequest } from 'lahja'

/** The bus of the pool: a directory with sockets, shared by all processes and threads of one user. */
export const BUS = 'worker-pool'

/** The name of the main thread. */
export const MAIN = 'main'

/** Numbers from `from` up to, but not including, `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** How many of the numbers are prime, and who has found out. */
export interface Finding {
  readonly thread: string
  readonly primes: number
}

export const CountPrimes = defineRequest<Range, Finding>('primes.count')

/** By trial division: slow, and meant to be. */
export function primesIn({ from, to }: Range): number {
  let primes = 0
  for (let number = Math.max(from, 2); number < to; number++) if (isPrime(number)) primes++
  return primes
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}
