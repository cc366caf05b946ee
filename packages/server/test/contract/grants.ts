import type { DataClass } from '@runbell/sdk/contract'

/** Written out: a list that is derived from the code under test would follow its mistakes. */
export const GRANTABLE: DataClass[] = [
  'document',
  'memory',
  'message',
  'operational',
  'personal',
  'prompt',
  'tool_input',
  'tool_output',
]

export const DEFAULT_DATA_CLASSES: DataClass[] = ['public', 'summary']
