/** The current time in milliseconds, on a monotonic clock shared by all processes of a machine. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
