import { SettingError, type SettingSpec } from './setting-spec.ts'

export interface DiagnosticSettings {
  /** Of one tenant in one mode. */
  diagnosticsPerSecond: number
  /** Of all tenants together, at one node. */
  diagnosticsPerSecondOfNode: number
  maxDiagnostics: number
  spansAsEvents: boolean
}

export const DIAGNOSTIC_SETTINGS: {
  readonly [Name in keyof DiagnosticSettings]: SettingSpec<DiagnosticSettings[Name]>
} = {
  diagnosticsPerSecond: count(
    'RUNBELL_LIMIT_DIAGNOSTIC_RATE',
    'Diagnostics a second that one tenant may send in one mode; two seconds of them may come at once.',
    1000,
    100_000,
  ),
  diagnosticsPerSecondOfNode: count(
    'RUNBELL_LIMIT_DIAGNOSTIC_NODE_RATE',
    'Diagnostics a second that one process takes of all tenants together.',
    2000,
    1_000_000,
  ),
  maxDiagnostics: count(
    'RUNBELL_LIMIT_DIAGNOSTICS',
    'Diagnostics that are kept at most; with more, the oldest go before their time.',
    5_000_000,
    10_000_000_000,
  ),
  spansAsEvents: {
    env: 'RUNBELL_OTLP_EVENTS',
    flag: null,
    meaning: 'on: GenAI spans that come in over OTLP are published as events of runs and tool calls as well.',
    default: () => false,
    parse(text) {
      if (text !== 'on' && text !== 'off') throw new SettingError('is on or off')
      return text === 'on'
    },
    format: (on) => (on ? 'on' : 'off'),
  },
}

function count(env: string, meaning: string, value: number, most: number): SettingSpec<number> {
  const parse = (text: string): number => {
    const given = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (given >= 1 && given <= most) return given
    throw new SettingError(`is a whole number from 1 to ${most}`)
  }
  return { env, flag: null, meaning, default: () => value, parse, format: String }
}
