import { build, decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'

/** Microseconds, up to an hour, to three digits. */
export const latencyRange = {
  bitBucketSize: 32,
  lowestDiscernibleValue: 1,
  highestTrackableValue: 3_600_000_000,
  numberOfSignificantValueDigits: 3,
} as const

/** One histogram of several that have been encoded. */
export function mergeLatencies(encoded: readonly string[]): Histogram {
  const merged = build(latencyRange)
  for (const each of encoded) merged.add(decodeFromCompressedBase64(each, latencyRange.bitBucketSize))
  return merged
}
