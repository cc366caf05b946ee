import { resolve } from 'node:path'
import { moveToPostgres, type MoveReport } from '../../moving/move.ts'
import { StoreUnavailable } from '../../store/store.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { printLine } from '../output.ts'
import { createScreen } from '../screen.ts'
import { createMoveProgress } from './move-progress.ts'

export interface MigrateOptions {
  from: string
  to?: string
  schema?: string
  startOver?: boolean
  json?: boolean
}

/** @throws CliError */
export async function migrate(options: MigrateOptions): Promise<number> {
  const to = options.to ?? process.env['RUNBELL_DATABASE_URL']
  if (to === undefined) throw new CliError('name the Postgres database with --to (RUNBELL_DATABASE_URL)', EXIT.usage)
  const from = resolve(options.from)
  const progress = createMoveProgress(createScreen(process.stderr), () => performance.now())
  const moved = await moveToPostgres({
    ...{ from, to, startOver: options.startOver === true },
    ...(options.schema === undefined ? {} : { schema: options.schema }),
    onProgress: (report: MoveReport) => progress.report(report),
  })
    .catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error
      throw new CliError(`the move was cut off (${error.message}): run it again, and it goes on where it was`)
    })
    .finally(() => progress.close())
  const { place, rows, tables, wasFinished } = moved
  if (options.json === true) printLine(JSON.stringify({ from, place, rows, tables, was_finished: wasFinished }))
  else printLine(wasFinished ? `${from} had been moved to ${place} before.` : saidOf(from, place, rows))
  return EXIT.ok
}

function saidOf(from: string, place: string, rows: number): string {
  return `${from} has moved to ${place}: ${rows.toLocaleString('en')} rows, read back and compared. Start Runbell with that database now; no server opens the file any more.`
}
