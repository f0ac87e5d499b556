// Runs in a child before all else: takes TypeScript modules from what the parent has compiled, because a compiler of
// its own would cost each process two seconds.
const { readFileSync } = require('node:fs')

const compiled = new Map(Object.entries(JSON.parse(readFileSync(process.env.LAHJA_TEST_COMPILED, 'utf8'))))

require.extensions['.ts'] = (module, fileName) => {
  const code = compiled.get(fileName)
  if (code === undefined) throw new Error(`expected a module that has been compiled, got ${fileName}`)
  module._compile(code, fileName)
}
