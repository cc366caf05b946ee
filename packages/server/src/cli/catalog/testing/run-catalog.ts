import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, vi } from 'vitest'
import { main } from '../../../main.ts'
import { temporaryFolder } from '../../testing/cli-process.ts'

const text = { type: 'string', maxLength: 50, 'x-data-class': 'public' }
const status = (...words: string[]) => ({ enum: words, 'x-data-class': 'public' })
const object = (properties: object, required: string[]) => ({ type: 'object', properties, required })
export const FIRST = {
  version: 1,
  schema: object({ amount: text, status: status('open', 'paid') }, ['amount']),
  examples: [{ amount: '84.00', status: 'open' }],
}
export const SECOND = {
  version: 2,
  schema: object({ total: text, status: status('open', 'paid', 'disputed') }, ['total']),
  examples: [{ total: '84.00', status: 'open' }],
  down_conversion: [
    { op: 'rename', path: '/total', to: 'amount' },
    { op: 'map', path: '/status', values: { disputed: 'open' } },
  ],
}
export const GROWN = { ...FIRST, schema: object({ ...FIRST.schema.properties, note: text }, ['amount']) }
export const invoice = (...versions: object[]) => ({
  type: 'acme.invoice.drafted',
  fact: 'An invoice was drafted.',
  versions,
})

export function catalogFile(content: unknown, name = 'runbell.catalog.json', folder = temporaryFolder()): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const printed = { out: '', err: '' }

/** Keeps what the commands of a test file print, and the server of whoever runs the tests out of them. */
export function captureOutput(): void {
  beforeEach(() => {
    vi.stubEnv('RUNBELL_URL', undefined)
    vi.stubEnv('RUNBELL_API_KEY', undefined)
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => ((printed.out += String(chunk)), true))
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => ((printed.err += String(chunk)), true))
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })
}

/** Runs a command of `runbell catalog` in this process. */
export async function catalog(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  Object.assign(printed, { out: '', err: '' })
  const code = await main(['catalog', ...args])
  return { code, out: printed.out.trimEnd(), err: printed.err.trimEnd() }
}
