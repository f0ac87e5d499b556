import { defineRequest } from 'lahja'

/** The bus of the pool: a directory of sockets for the processes and threads of one user. */
export const BUS = 'worker-pool'

/** The endpoint name of the main thread. */
export const MAIN = 'main'

/** The numbers from `from` up to, but not including, `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** The number of primes in a range, and the thread that counted them. */
export interface Finding {
  readonly thread: string
  readonly primes: number
}

export const CountPrimes = defineRequest<Range, Finding>('primes.count')

/** By trial division, which is slow on purpose. */
export function primesIn({ from, to }: Range): number {
  let primes = 0
  for (let number = Math.max(from, 2); number < to; number++) if (isPrime(number)) primes++
  return primes
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}
