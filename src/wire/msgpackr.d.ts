/** msgpackr's build without `eval`, which has a state and a list of extensions of its own. */
declare module 'msgpackr/index-no-eval' {
  export { addExtension, C1, Packr, Unpackr } from 'msgpackr'
}

/** The decoder alone, likewise; here strings can be read by native code. */
declare module 'msgpackr/unpack-no-eval' {
  export { addExtension, C1, Unpackr } from 'msgpackr'
  export function setExtractor(extractStrings: unknown): void
}
