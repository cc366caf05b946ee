import { styleText } from 'node:util'
import { median } from './distribution.ts'
import { floorOf } from './limits/index.ts'
import type { Facts } from './machine/facts.ts'
import type { Measured, Round } from './rounds.ts'
import type { Figure } from './scenario.ts'

const NAME_WIDTH = 62
const VALUE_WIDTH = 10

export function describeFacts(facts: Facts): string {
  const { processor, cores, memoryGib, filesystem, system, node, sqlite, runbell, date } = facts
  return (
    `${date}  ${cores} × ${processor}, ${memoryGib} GiB, ${filesystem}, ${system}\n` +
    `Runbell ${runbell}, Node ${node}, SQLite ${sqlite}`
  )
}

export function describeMeasured(measured: Measured): string {
  const { scenario, summary, rounds, discarded, seconds } = measured
  const used = rounds.length > 0 ? rounds : discarded
  const lines = [
    `${styleText('bold', scenario)}: ${summary}`,
    `  ${rounds.length} rounds, ${discarded.length} discarded, ${seconds.toFixed(0)} s; ${describeNoise(used)}`,
    `  ${describeLimits(used)}`,
  ]
  if (rounds.length === 0) lines.push(styleText('red', '  no round was quiet: what follows is from disturbed ones'))
  return [...lines, ...figureLines(used)].join('\n')
}

function describeNoise(rounds: readonly Round[]): string {
  const of = (value: (round: Round) => number) => spread(rounds.map(value))
  return (
    `others kept ${of(({ foreign }) => foreign.cores)} cores busy, ` +
    `load ${of(({ foreign }) => foreign.loadBefore)} before and ${of(({ foreign }) => foreign.loadAfter)} after`
  )
}

function describeLimits(rounds: readonly Round[]): string {
  const of = (value: (round: Round) => number) => spread(rounds.map(value))
  return (
    `limits: HTTP in ${of(({ limits }) => limits.httpIn)}, store ${of(({ limits }) => limits.store)}, ` +
    `HTTP out ${of(({ limits }) => limits.httpOut)}, floor ${of(({ limits }) => floorOf(limits, 1))} µs; ` +
    `commit ${of(({ limits }) => limits.commitMs)} ms;\n  generator to receiver ${of(({ limits }) => limits.direct.perSecond)}/s, ` +
    `${of(({ limits }) => limits.direct.generator)} and ${of(({ limits }) => limits.direct.receiver)} µs`
  )
}

/** Every figure as the median of the rounds, with the least and the most. */
function figureLines(rounds: readonly Round[]): string[] {
  const byName = new Map<string, Figure[]>()
  for (const { figures } of rounds) {
    for (const figure of figures) byName.set(figure.name, [...(byName.get(figure.name) ?? []), figure])
  }
  return [...byName.values()].map((figures) => {
    const [first] = figures as [Figure]
    const values = figures.map(({ value }) => value)
    const middle = median(values)
    const range = values.length === 1 ? '' : `${show(Math.min(...values))}–${show(Math.max(...values))}`
    const value = `${show(middle)} ${first.unit}`.trim()
    return `  ${first.name.padEnd(NAME_WIDTH)} ${value.padStart(VALUE_WIDTH)}  ${range.padEnd(15)} ${verdict(first, middle)}`.trimEnd()
  })
}

function verdict({ must, goal, better }: Figure, value: number): string {
  if (must === undefined) return ''
  const isHeld = (limit: number) => (better === 'lower' ? value <= limit : value >= limit)
  const sign = better === 'lower' ? '≤' : '≥'
  const wanted = goal === undefined ? `${sign} ${must}` : `${sign} ${must}, goal ${goal}`
  if (!isHeld(must)) return `${wanted}: ${styleText('red', 'MISSED')}`
  return `${wanted}: ${styleText('green', goal !== undefined && isHeld(goal) ? 'goal' : 'held')}`
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return '?'
  const [least, most] = [show(Math.min(...values)), show(Math.max(...values))]
  return least === most ? least : `${show(median(values))} (${least}–${most})`
}

function show(value: number): string {
  const size = Math.abs(value)
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2)
}
