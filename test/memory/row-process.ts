import { ROWS } from './rows'
import { bytesHeld, Scene } from './scene'

/** Measures one row, in a process of its own: prints the bytes that it holds, or that each of its items does. */
async function main(): Promise<void> {
  const row = ROWS[Number(process.argv[2])]
  if (!row) throw new RangeError(`expected the number of a row, got ${process.argv[2]}`)
  await using scene = new Scene()
  const load = await row.begin(scene)
  scene.keep(load)
  const before = await bytesHeld()
  const count = await load()
  const bytes = (await bytesHeld()) - before
  console.log(Math.round(bytes / (count ?? 1)))
}

void main()
