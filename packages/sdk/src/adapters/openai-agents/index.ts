export { noteToolError } from './tool-errors.ts'
export { reportRunner, type OpenAIAgentsOptions } from './report-runner.ts'
export type { ReportedRun } from '../run-report.ts'
