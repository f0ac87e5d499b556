import { Endpoint } from '../../src/index'

/** Starts an endpoint in a directory where nothing can be created, and tells the error. */
async function main([directory = '']: readonly string[]): Promise<void> {
  const error = await Endpoint.start({ name: 'one', directory }).then(
    () => undefined,
    (error) => error,
  )
  process.stdout.write(String(error?.code))
}

void main(process.argv.slice(2))
