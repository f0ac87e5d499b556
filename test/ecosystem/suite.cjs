// The tests that each test runner runs; `tools` are its own `test`, and what fakes its timers and makes them real again.
exports.suite = ({ test, fake, real }, exchange) => {
  test('exchanges', () => exchange())
  test('exchanges with timers that are faked before the start', async () => {
    fake()
    await exchange().finally(real)
  })
  test('exchanges with timers that are faked after the start', () => exchange(fake).finally(real))
}
