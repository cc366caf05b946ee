import { writeFileSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCommandLine, type Choice } from './command-line.ts'
import { readFacts } from './machine/facts.ts'
import { startReceiver } from './receiver/receiver.ts'
import { describeFacts, describeMeasured } from './report.ts'
import { measureScenario, type Measured } from './rounds.ts'
import type { Bench } from './scenario.ts'
import { SCENARIOS } from './scenarios/index.ts'

/*
 * Measures ratios within one run: absolute figures of a shared machine drift by 40 %. Each round measures every variant
 * once, interleaved with the limits of the machine; the figures are medians over rounds, the ratios medians of each round's own ratio.
 */

/** Ports of the receiver that the limits are measured with. */
const LIMIT_PORTS = 100

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

async function measure(choice: Choice): Promise<void> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'runbell-bench-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  // Databases of gigabytes do not stay behind.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void remove().then(() => process.exit(1)))
  const facts = readFacts(folder)
  const bench: Bench = { ...choice, folder, progress }
  const receiver = await startReceiver(LIMIT_PORTS)
  const all: Measured[] = []
  try {
    process.stdout.write(`${describeFacts(facts)}\n`)
    for (const scenario of choice.scenarios) {
      if (choice.databaseUrl !== null && scenario.embeddedOnly !== undefined) {
        process.stdout.write(`\n${scenario.name}: left out, ${scenario.embeddedOnly}\n`)
        continue
      }
      const measured = await measureScenario(scenario, bench, { rounds: choice.rounds, receiver })
      all.push(measured)
      progress('')
      process.stdout.write(`\n${describeMeasured(measured)}\n`)
      if (choice.jsonFile !== null) writeFileSync(choice.jsonFile, `${JSON.stringify({ facts, scenarios: all })}\n`)
    }
  } finally {
    await receiver.close()
    await remove()
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return process.env['DEBUG'] === undefined ? error.message : String(error.stack)
}

try {
  const choice = readCommandLine(process.argv.slice(2), SCENARIOS)
  if (choice !== null) await measure(choice)
} catch (error) {
  process.stderr.write(`bench: ${explain(error)}\n`)
  process.exitCode = 1
}
