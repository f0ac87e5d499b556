// Measures how much memory the worst case of each bound holds, and compares it with docs/reliability.md: `npm run memory`.
import { figureOf, nameOf } from './figures'
import { measure } from './measure'
import { ROWS } from './rows'

async function main(): Promise<void> {
  console.log('      bytes  documented  ratio')
  for (const row of ROWS) {
    const [bytes, figure] = [await measure(row), figureOf(row)]
    const ratio = bytes / figure
    if (ratio > 2) process.exitCode = 1
    const columns = [`${bytes}`.padStart(11), `${Math.round(figure)}`.padStart(11), ratio.toFixed(2).padStart(6)]
    console.log(columns.join(' '), ratio > 2 ? '!' : ' ', nameOf(row))
  }
}

void main()
