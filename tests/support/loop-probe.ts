import { fileURLToPath } from 'node:url'
import type { ServerProcess } from './server-process.ts'
import { until } from './until.ts'

/** Environment of a server whose event loop is watched. */
export const WATCHED = {
  NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${fileURLToPath(new URL('./loop-probe.mjs', import.meta.url))}`,
}

/** The longest time, in ms of CPU, that a watched server did not look at anything else since this was last asked. */
export async function longestStall({ child, log }: ServerProcess): Promise<number> {
  const readings = () => [...log().matchAll(/^loop-probe ([\d.]+) ms$/gm)].map(([, ms]) => Number(ms))
  const before = readings().length
  child.kill('SIGUSR2')
  const seen = await until('the probe has answered', readings, ({ length }) => length > before)
  return seen.at(-1) as number
}
