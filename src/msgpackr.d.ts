/** A part of msgpackr that comes without its types. */
declare module 'msgpackr/unpack-no-eval' {
  export { addExtension, C1, Unpackr } from 'msgpackr'
  /** Has strings read by native code, many at a time. */
  export function setExtractor(extractStrings: unknown): void
}
