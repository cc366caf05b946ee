import type { Actor } from '../../catalog/index.ts'
import type { Runbell } from '../../emit/index.ts'
import type { ReportedRun } from '../run-report.ts'
import { safely } from '../safely.ts'
import type { HookLike, MessageLike, PermissionLike } from './framework.ts'
import { QueryReport } from './query-report.ts'

export interface ClaudeAgentOptions {
  /** Who decides about permissions. @default a user */
  decidedBy?: Actor | undefined
}

/** What is given to `query`, and what is done with its result. */
export interface ReportedQuery {
  /** For `options.hooks`. */
  hooks: Record<string, { hooks: HookLike[] }[]>
  /** Around the application's own `canUseTool`: asking is told before it, and its answer after it. */
  canUseTool<Ask extends (tool: never, input: never, context: never) => Promise<PermissionLike | null>>(ask: Ask): Ask
  /** Listens to the messages: the last one says how it ended. @returns the same query */
  watch<Query extends AsyncGenerator<unknown, unknown>>(query: Query): Query
}

const HOOKS = [
  'UserPromptSubmit',
  'PreToolUse',
  'PostToolUse',
  'PostToolUseFailure',
  'PermissionDenied',
  'Stop',
  'StopFailure',
]

/**
 * Tells what a query of the Claude Agent SDK does. Give each run one of its own; queries with it, one after the other, are that
 * run: the first starts it. Hooks answer at once and with nothing; nothing waits for the network.
 */
export function reportQuery(runbell: Runbell, run: ReportedRun, options: ClaudeAgentOptions = {}): ReportedQuery {
  const telling = new QueryReport(runbell, run, options.decidedBy ?? { type: 'user' })
  const hook: HookLike = (input, toolUseId) => {
    safely(() => telling.hook(input, toolUseId))
    return Promise.resolve({})
  }
  return {
    hooks: Object.fromEntries(HOOKS.map((name) => [name, [{ hooks: [hook] }]])),
    canUseTool: (ask) => aroundAsk(telling, ask),
    watch: (query) => watched(telling, query),
  }
}

type Ask = (tool: never, input: never, context: never) => Promise<PermissionLike | null>

function aroundAsk<Given extends Ask>(telling: QueryReport, ask: Given): Given {
  const asking = async (
    name: string,
    input: unknown,
    context: { toolUseID?: string },
  ): Promise<PermissionLike | null> => {
    const call = { id: context.toolUseID ?? name, name, input }
    safely(() => telling.asked(call))
    const answer = await ask(name as never, input as never, context as never)
    // Without an answer somebody else is asked; what the tool comes to says how they decided.
    if (answer !== null) safely(() => telling.answered(call, answer.behavior === 'allow'))
    return answer
  }
  return asking as unknown as Given
}

function watched<Query extends AsyncGenerator<unknown, unknown>>(telling: QueryReport, query: Query): Query {
  const next = query.next.bind(query) as () => Promise<IteratorResult<unknown>>
  const listening = async (): Promise<IteratorResult<unknown>> => {
    try {
      const step = await next()
      if (step.done !== true) safely(() => telling.message(step.value as MessageLike))
      return step
    } catch (exception) {
      safely(() => telling.failed(exception))
      throw exception
    }
  }
  safely(() => telling.watch())
  return Object.assign(query, { next: listening })
}
