export { reportQuery, type ClaudeAgentOptions, type ReportedQuery } from './report-query.ts'
export type { ReportedRun } from '../run-report.ts'
