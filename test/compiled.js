// Loads tests as `npm test` has compiled them, with the places of the sources in stack traces.
process.setSourceMapsEnabled(true)
require('./multiprocess/preload.js')
