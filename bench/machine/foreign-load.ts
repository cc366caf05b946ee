import { loadavg } from 'node:os'
import { busyMicros, microsOfProgram, ownMicros } from './processor-time.ts'

/** What else the machine did meanwhile. */
export interface ForeignLoad {
  /** Processors that others kept busy, in the mean; `NaN` where the system does not tell. */
  cores: number
  loadBefore: number
  loadAfter: number
}

/** @param databaseProgram whose processes belong to what is measured, where it runs on this machine */
export function watchForeignLoad(databaseProgram: string | null): () => ForeignLoad {
  const own = () => ownMicros() + (databaseProgram === null ? 0 : microsOfProgram(databaseProgram))
  const before = { busy: busyMicros(), own: own(), at: performance.now(), load: loadavg()[0] ?? Number.NaN }
  return () => {
    const elapsedMicros = (performance.now() - before.at) * 1000
    const foreign = busyMicros() - before.busy - (own() - before.own)
    return {
      cores: Math.max(0, foreign / elapsedMicros),
      loadBefore: before.load,
      loadAfter: loadavg()[0] ?? Number.NaN,
    }
  }
}
