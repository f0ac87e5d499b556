/** msgpackr's build without `eval`, with its own state and list of extensions. */
declare module 'msgpackr/index-no-eval' {
  export { addExtension, C1, Packr, Unpackr } from 'msgpackr'
}

/** The same for the decoder alone, which can read strings with native code. */
declare module 'msgpackr/unpack-no-eval' {
  export { addExtension, C1, Unpackr } from 'msgpackr'
  export function setExtractor(extractStrings: unknown): void
}
