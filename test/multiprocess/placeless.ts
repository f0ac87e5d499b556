import { Endpoint } from '../../src/index'

/** Starts an endpoint in a directory that cannot be created, and prints the error code. */
async function main([directory = '']: readonly string[]): Promise<void> {
  const error = await Endpoint.start({ name: 'one', directory }).then(
    () => undefined,
    (error) => error,
  )
  process.stdout.write(String(error?.code))
}

void main(process.argv.slice(2))
