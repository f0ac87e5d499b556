import { execFileSync } from 'node:child_process'
import { expect } from 'chai'
import fc from 'fast-check'
import { InvalidArgument } from '../../src/model/errors'
import { checkName, isName } from '../../src/model/name'
import { fileNameOf, isId, parseFileName, precedes } from '../../src/platform/address'
import { systemClock } from '../../src/platform/clock'

const ID = '0000000000abc'
const FIRST = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789']

const name = fc
  .tuple(fc.constantFrom(...FIRST), fc.string({ unit: fc.constantFrom(...FIRST, '.', '_', '-'), maxLength: 63 }))
  .map(([first, rest]) => first + rest)
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((bits) => bits.toString(36).padStart(13, '0'))

describe('a name', () => {
  for (const good of ['a', 'Z', '0', 'shop', 'shop-1', 'shop_1', 'shop.eu', 'a.', 'a-', 'x'.repeat(64)]) {
    it(`may be '${good}'`, () => {
      expect(isName(good)).to.equal(true)
      expect(checkName('name', good)).to.equal(good)
    })
  }

  for (const bad of ['', '.a', '-a', '_a', 'a b', 'a\n', '\na', 'a/b', '../a', 'a~b', 'é', 'a\0', 'x'.repeat(65)]) {
    it(`may not be ${JSON.stringify(bad)}`, () => {
      expect(isName(bad)).to.equal(false)
      expect(() => checkName('name', bad)).to.throw(InvalidArgument, /^name: expected 1 to 64 of .*, got '/)
    })
  }

  for (const bad of [undefined, null, 7, ['shop'], { name: 'shop' }]) {
    it(`may not be ${JSON.stringify(bad)}`, () => {
      expect(() => checkName('groups[1]', bad)).to.throw(InvalidArgument, /^groups\[1\]: expected 1 to 64/)
    })
  }
})

describe('an address', () => {
  it('is the same after a round trip through its file name', () => {
    fc.assert(
      fc.property(name, id, (name, id) => {
        expect(parseFileName(fileNameOf({ name, id }))).to.deep.equal({ name, id })
      }),
    )
  })

  it('has the file name of docs/protocol.md', () => {
    expect(fileNameOf({ name: 'shop', id: ID })).to.equal('shop~0000000000abc.sock')
  })

  it('has a file name that no other address has', () => {
    fc.assert(
      fc.property(name, id, name, id, (name, id, otherName, otherId) => {
        const isSame = fileNameOf({ name, id }) === fileNameOf({ name: otherName, id: otherId })
        expect(isSame).to.equal(name === otherName && id === otherId)
      }),
    )
  })

  for (const file of [
    '',
    'shop',
    'shop.sock',
    `shop~${ID}`,
    `shop~${ID}.new`,
    `shop~${ID}.sock.sock`,
    `shop~${ID}.sock\n`,
    `shop~${ID}.SOCK`,
    `shop~${ID}xsock`,
    `~${ID}.sock`,
    `.shop~${ID}.sock`,
    `shop~~${ID}.sock`,
    `shop~x~${ID}.sock`,
    `sh op~${ID}.sock`,
    `a/b~${ID}.sock`,
    `${'x'.repeat(65)}~${ID}.sock`,
    'shop~.sock',
    'shop~000000000abc.sock',
    'shop~00000000000abc.sock',
    'shop~0000000000ABC.sock',
    'shop~0000000000-bc.sock',
    `${ID}.new`,
  ]) {
    it(`is not found in the file name ${JSON.stringify(file)}`, () => expect(parseFileName(file)).to.equal(undefined))
  }
})

describe('an id', () => {
  it('is 13 characters of 0-9 and a-z', () => {
    for (const good of [ID, '3w5e11264sgsf', 'zzzzzzzzzzzzz']) expect(isId(good), good).to.equal(true)
    for (const bad of ['', 'abc', `${ID}0`, `${ID}\n`, ID.toUpperCase(), ' 00000000000a']) {
      expect(isId(bad), bad).to.equal(false)
    }
  })

  it('from the system clock is valid and different each time', () => {
    const ids = Array.from({ length: 1000 }, () => systemClock.incarnationId())
    expect(ids.filter((id) => !isId(id))).to.deep.equal([])
    expect(new Set(ids).size).to.equal(1000)
  })

  it('from the system clock is different in each process, even with the same random seed', () => {
    const script = `console.log(require(${JSON.stringify(require.resolve('../../src/platform/clock'))}).systemClock.incarnationId())`
    const flags = ['--random-seed=1', '-r', 'ts-node/register/transpile-only', '-e', script]
    const ids = [1, 2].map(() => execFileSync(process.execPath, flags, { encoding: 'utf8' }).trim())
    expect(ids.filter((id) => !isId(id))).to.deep.equal([])
    expect(new Set(ids).size).to.equal(2)
  })
})

describe('precedes', () => {
  it('orders ids by the numbers they stand for', () => {
    const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    fc.assert(
      fc.property(id, id, (one, other) => {
        const [first, second] = [one, other].map((bits) => bits.toString(36).padStart(13, '0'))
        expect(precedes(String(first), String(second))).to.equal(one < other)
      }),
    )
  })

  it('puts no id before itself', () => expect(precedes('0000000000abc', '0000000000abc')).to.equal(false))
})
