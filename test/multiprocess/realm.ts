import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { compileFunction, createContext, runInContext } from 'node:vm'

const NODE_GLOBALS = { process, Buffer, console, setTimeout, clearTimeout, setImmediate, clearImmediate, setInterval }
const WEB_GLOBALS = {
  clearInterval,
  queueMicrotask,
  performance,
  AbortController,
  AbortSignal,
  TextEncoder,
  TextDecoder,
}

/** As in jest: a program and all its packages have other `Object`s, `Error`s and `Map`s than Node itself. */
const realm = createContext({ ...NODE_GLOBALS, ...WEB_GLOBALS })
const modules = new Map<string, { exports: unknown }>()

function load(file: string): unknown {
  const known = modules.get(file)
  if (known) return known.exports
  const module = { exports: {} }
  modules.set(file, module)
  const near = createRequire(file)
  const resolve = (id: string) =>
    /^\.\.?\//.test(id) && file.endsWith('.ts') ? join(dirname(file), `${id}.ts`) : near.resolve(id)
  const require = (id: string): unknown => {
    // ES modules and native code can't be loaded into another realm.
    return /^node:|p-queue|msgpackr-extract/.test(id) ? near(id) : load(resolve(id))
  }
  const source = file.endsWith('.ts') ? join(process.env.LAHJA_TEST_COMPILED ?? '', file) : file
  const parameters = ['exports', 'require', 'module', '__filename', '__dirname']
  const run = compileFunction(readFileSync(source, 'utf8'), parameters, { parsingContext: realm, filename: file })
  run(module.exports, Object.assign(require, { resolve: near.resolve }), module, file, dirname(file))
  return module.exports
}

const PROGRAM = `async (
  { Endpoint }, directory, foreign
) => {
  const [a, b] = [await Endpoint.start({ name: 'a', directory }), await Endpoint.start({ name: 'b', directory })]
  await a.waitUntilConnectedTo('b')
  const payloads = []
  await b.subscribe('tick', ({ payload }) => { payloads.push(payload) }).ready
  await b.respond('echo', ({ payload }) => payload).ready
  const sent = [new Map([['a', new Date(5)]]), new Set([1]), new Error('no'), Buffer.from('ab'), [Buffer.from('ab')],
    { list: [new Uint8Array([1])], text: 'x'.repeat(1000) }, ...foreign]
  for (const payload of sent) await a.broadcast('tick', payload)
  const answer = await a.request('echo', { bytes: Buffer.from('ab'), map: new Map([[1, 2]]) })
  const refused = await a.broadcast('tick', [Promise.resolve()]).catch((error) => error.message)
  const unusable = await Endpoint.start({ name: 'c', directory: '/dev/null/bus' }).catch((error) => error.code)
  await Promise.all([a.close(), b.close()])
  return JSON.stringify({ payloads, answer, refused, unusable })
}`

/** Prints what two endpoints in that realm have sent each other. */
async function main([directory = '']: readonly string[]): Promise<void> {
  const program = runInContext(PROGRAM, realm)
  const foreign = [
    new Map([['a', new Date(5)]]),
    Object.assign(new TypeError('no'), { code: 'E' }),
    { a: [new Set([1])] },
  ]
  process.stdout.write(await program(load(join(__dirname, '../../src/index.ts')), directory, foreign))
}

void main(process.argv.slice(2))
