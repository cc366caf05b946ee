import type { Capture, RunOptions } from './run-options.ts'
import { ToldFacts } from './told-facts.ts'

/** What is needed of a run. */
export interface PerformedRun {
  readonly options: Readonly<RunOptions>
  readonly state: 'running' | 'waiting' | 'ended'
  readonly isStrict: boolean
  started(): Promise<unknown>
  resumed(data: { resumed_after: NonNullable<RunOptions['resumed_after']> }): Promise<unknown>
  completed(data: { output?: unknown }): Promise<unknown>
  endWith(exception: unknown): Promise<unknown>
  captures(what: Capture): boolean
}

/**
 * A run around work. Where the work returns and has neither ended the run nor left it waiting, the run is completed; where it
 * throws, the run failed, or was cancelled if that is what its signal says. The exception is handed on as it is.
 */
export async function perform<Run extends PerformedRun, Result>(
  run: Run,
  work: (run: Run) => Result | Promise<Result>,
): Promise<Result> {
  const facts = new ToldFacts(run.isStrict)
  const { resumed_after: resumedAfter } = run.options
  facts.add(resumedAfter === undefined ? run.started() : run.resumed({ resumed_after: resumedAfter }))
  let result: Result
  try {
    result = await work(run)
  } catch (exception) {
    facts.add(run.endWith(exception))
    throw exception
  }
  if (run.state === 'running') {
    facts.add(run.completed(run.captures('output') && result !== undefined ? { output: result } : {}))
  }
  await facts.end()
  return result
}
