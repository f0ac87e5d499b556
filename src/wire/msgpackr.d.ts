/** msgpackr's build without `eval`, which comes without types. */
declare module 'msgpackr/index-no-eval' {
  export { Packr } from 'msgpackr'
}
