export { reportTelemetry, type AiSdkOptions, type RunTelemetry } from './report-telemetry.ts'
export type { ReportedRun } from '../run-report.ts'
