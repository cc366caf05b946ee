import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { measureContract, measureContractSizes, type ContractCost } from './contract-cost.ts'
import { figuresOf, measureDelivery, type DeliveryRound, type Figure } from './delivery-rounds.ts'
import { measureEndToEnd, type EndToEndResult } from './end-to-end.ts'
import { median } from './median.ts'
import { measureGroups } from './store-groups.ts'

/*
 * Measures ratios within one run: absolute figures of a shared machine drift by 40 %. Each round measures every variant
 * once, interleaved; the figures are medians over rounds, the ratios medians of each round's own ratio.
 */

const json = process.argv.includes('--json')
const ROUNDS = Number(process.env['RUNBELL_BENCH_ROUNDS'] ?? 5)
const SECONDS = Number(process.env['RUNBELL_BENCH_SECONDS'] ?? 2)
const GROUP = 100
const PUBLISHERS = 64

/**
 * Held by the delivery core: groups of 100 against one commit per event, and the mean group under 64 publishers. Held by
 * the event contract: µs of CPU for a 1 KB event with four distinct bodies, and how much more a KiB may cost in an event
 * of 256 KiB than in one of 64.
 */
const TARGETS = { groupRatio: 10, meanGroup: 16, contractMicros: 60, growth: 1.5 }
const SIZES_KIB = [1, 4, 16, 64, 256]

function progress(text: string): void {
  if (!json && process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'runbell-bench-'))
  const singles: number[] = []
  const groups: number[] = []
  const ratios: number[] = []
  const whole: EndToEndResult[] = []
  const contract: ContractCost[] = []
  const delivery: DeliveryRound[] = []
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      progress(`round ${round} of ${ROUNDS}: store, one commit per event`)
      const single = await measureGroups(folder, 1, SECONDS)
      progress(`round ${round} of ${ROUNDS}: store, groups of ${GROUP}`)
      const grouped = await measureGroups(folder, GROUP, SECONDS)
      progress(`round ${round} of ${ROUNDS}: event contract, 1 KB, four bodies`)
      contract.push(measureContract())
      progress(`round ${round} of ${ROUNDS}: end to end, ${PUBLISHERS} publishers`)
      whole.push(await measureEndToEnd(folder, PUBLISHERS, SECONDS))
      progress(`round ${round} of ${ROUNDS}: limits of the machine, and deliveries to 100 endpoints`)
      delivery.push(await measureDelivery(folder, SECONDS))
      singles.push(single.eventsPerSecond)
      groups.push(grouped.eventsPerSecond)
      ratios.push(grouped.eventsPerSecond / single.eventsPerSecond)
    }
  } finally {
    progress('')
    await rm(folder, { recursive: true, force: true })
  }
  report({
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    load: loadavg()[0] ?? 0,
    rounds: ROUNDS,
    storeSingle: median(singles),
    storeGroup: median(groups),
    groupRatio: median(ratios),
    contract: {
      scan: median(contract.map(({ scan }) => scan)),
      check: median(contract.map(({ check }) => check)),
      fourBodies: median(contract.map(({ fourBodies }) => fourBodies)),
    },
    sizes: measureContractSizes(SIZES_KIB),
    delivery,
    figures: figuresOf(delivery),
    endToEnd: {
      perSecond: median(whole.map(({ perSecond }) => perSecond)),
      meanGroup: median(whole.map(({ meanGroup }) => meanGroup)),
      p50: median(whole.map(({ p50 }) => p50)),
      p99: median(whole.map(({ p99 }) => p99)),
      cpuPerEvent: median(whole.map(({ cpuPerEvent }) => cpuPerEvent)),
    },
  })
}

interface Report {
  machine: string
  node: string
  load: number
  rounds: number
  storeSingle: number
  storeGroup: number
  groupRatio: number
  contract: ContractCost
  sizes: ReturnType<typeof measureContractSizes>
  /** Each round's own figures. */
  delivery: DeliveryRound[]
  figures: Figure[]
  endToEnd: Omit<EndToEndResult, 'publishers'>
}

function report(result: Report): void {
  if (json) return void process.stdout.write(`${JSON.stringify({ ...result, targets: TARGETS })}\n`)
  const { endToEnd, contract } = result
  const growth = perKib(result, 256) / perKib(result, 64)
  const held = (ok: boolean) => (ok ? styleText('green', 'held') : styleText('red', 'MISSED'))
  const lines = [
    `${result.machine}, Node ${result.node}, load ${result.load.toFixed(1)}, medians of ${result.rounds} rounds`,
    '',
    `store, one commit per event   ${result.storeSingle.toFixed(0).padStart(8)} events/s   (synchronous=FULL)`,
    `store, groups of ${GROUP}          ${result.storeGroup.toFixed(0).padStart(8)} events/s`,
    `  ratio ${result.groupRatio.toFixed(1)}, target ≥ ${TARGETS.groupRatio}: ${held(result.groupRatio >= TARGETS.groupRatio)}`,
    '',
    `${PUBLISHERS} publishers over HTTP       ${endToEnd.perSecond.toFixed(0).padStart(8)} events/s   ` +
      `p50 ${endToEnd.p50.toFixed(1)} ms, p99 ${endToEnd.p99.toFixed(1)} ms, ` +
      `${endToEnd.cpuPerEvent.toFixed(0)} µs of server CPU per event`,
    `  mean group ${endToEnd.meanGroup.toFixed(1)}, target ≥ ${TARGETS.meanGroup}: ${held(endToEnd.meanGroup >= TARGETS.meanGroup)}`,
    '',
    `event contract, 1 KB event    ${contract.scan.toFixed(1).padStart(8)} µs of CPU to scan it`,
    `  checked, masked and planned ${contract.check.toFixed(1).padStart(8)} µs`,
    `  with four distinct bodies   ${contract.fourBodies.toFixed(1).padStart(8)} µs, target ≤ ${TARGETS.contractMicros}: ${held(contract.fourBodies <= TARGETS.contractMicros)}`,
    `  larger: ${result.sizes.map(({ kib, micros }) => `${kib} KiB ${micros.toFixed(0)} µs`).join(', ')}`,
    `  a KiB of 256 costs ${growth.toFixed(2)} times one of 64, target ≤ ${TARGETS.growth}: ${held(growth <= TARGETS.growth)}`,
  ]
  process.stdout.write(`${[...lines, '', ...deliveryLines(result, held)].join('\n')}\n`)
}

function deliveryLines({ delivery, figures }: Report, held: (ok: boolean) => string): string[] {
  const of = (value: (round: DeliveryRound) => number) => median(delivery.map(value))
  const row = (name: string, pick: 'single' | 'batch' | 'quarter') =>
    `${name.padEnd(29)} ${of((round) => round[pick].perSecond)
      .toFixed(0)
      .padStart(8)} events/s   ` +
    `p50 ${of((round) => round[pick].p50).toFixed(0)} ms, p99 ${of((round) => round[pick].p99).toFixed(0)} ms, ` +
    `${of((round) => round[pick].cpuPerEvent).toFixed(0)} µs of server CPU per event`
  return [
    `limits, 1 KB: HTTP in ${of(({ limits }) => limits.httpIn).toFixed(1)} µs, store ${of(({ limits }) => limits.store).toFixed(1)} µs, ` +
      `HTTP out ${of(({ limits }) => limits.httpOut).toFixed(1)} µs of CPU; one commit ${of(({ limits }) => limits.commitMs).toFixed(2)} ms`,
    row('delivered, one a request', 'single'),
    row('delivered, 100 a request', 'batch'),
    row('delivered, a quarter of that', 'quarter'),
    ...figures.map(({ name, value, must, better }) => {
      const ok = better === 'lower' ? value <= must : value >= must
      return `  ${name}: ${value.toFixed(2)}, must be ${better === 'lower' ? '≤' : '≥'} ${must}: ${held(ok)}`
    }),
    `memory of the server, at the end ${of(({ quarter }) => quarter.megabytes).toFixed(0)} MB`,
  ]
}

function perKib({ sizes }: Report, kib: number): number {
  return sizes.find((size) => size.kib === kib)?.perKib ?? Number.NaN
}

await main()
