// Runs in a child before all else: takes TypeScript modules as the parent has compiled them, because a compiler of its
// own would cost each process two seconds.
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

require.extensions['.ts'] = (module, fileName) => {
  module._compile(readFileSync(join(process.env.LAHJA_TEST_COMPILED, fileName), 'utf8'), fileName)
}
