import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import * as lahja from '../src'
import type { EndpointEvents } from '../src/endpoint-events'
import { anchorsOf } from './support/anchors'

const PAGE = join(__dirname, '..', 'docs', 'troubleshooting.md')
const page = readFileSync(PAGE, 'utf8')

/** The text below each heading of an error or event. */
const entries = new Map(
  page.split(/^### /m).flatMap((section) => {
    const [, name, text] = /^`(\w+)`\n(.*)/s.exec(section) ?? []
    return name === undefined || text === undefined ? [] : [[name, text] as const]
  }),
)

/** Error classes by their code. */
const classes = new Map(
  Object.values(lahja)
    .filter((value) => value.prototype instanceof lahja.LahjaError && value !== lahja.LinkError)
    .map((type) => [String(Reflect.get(Reflect.construct(type, ['', '', {}]), 'code')), type.name]),
)

/** A variable of the environment, and the codes of warnings that are no errors. */
const OTHERS = ['LAHJA_DIRECTORY', 'LAHJA_GAP', 'LAHJA_LOST', 'LAHJA_LEFT', 'LAHJA_RUNTIME_DIRECTORY']

describe('docs/troubleshooting.md', () => {
  it('has an entry for every error code, and names its class', () => {
    const codes = [...entries.keys()].filter((name) => name.startsWith('LAHJA_'))
    expect(codes.sort()).to.deep.equal([...classes.keys()].sort())
    for (const [code, name] of classes) expect(entries.get(code), code).to.contain(`\`${name}\``)
  })

  it('has an entry for every event of a peer in trouble', () => {
    const events = ['gap', 'lost', 'left', 'lagging', 'unresponsive', 'error'] satisfies (keyof EndpointEvents)[]
    expect([...entries.keys()]).to.include.members(events)
  })

  it('says for each entry what you see, why, and what to do', () => {
    for (const [name, text] of entries) {
      for (const part of ['What you see', 'Why', 'What to do']) expect(text, name).to.contain(`- **${part}:** `)
    }
  })

  it('names no code that does not exist', () => {
    const codes = [...page.matchAll(/LAHJA_\w+/g)].map(([code]) => code)
    for (const code of codes) if (!OTHERS.includes(code)) expect(classes.has(code), code).to.equal(true)
  })

  it('names every code of a process warning', () => {
    for (const code of OTHERS) expect(page).to.contain(`\`${code}\``)
  })

  it('has no dead link', () => {
    for (const [, file = '', anchor] of page.matchAll(/\]\(([\w./-]*)(?:#([\w-]+))?\)/g)) {
      const target = file === '' ? PAGE : join(dirname(PAGE), file)
      expect(existsSync(target), target).to.equal(true)
      if (anchor !== undefined) expect(anchorsOf(readFileSync(target, 'utf8')), file).to.include(anchor)
    }
  })
})
