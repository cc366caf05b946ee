export { reportGraph, type GraphHandler, type LangGraphOptions } from './report-graph.ts'
export type { ReportedRun } from '../run-report.ts'
