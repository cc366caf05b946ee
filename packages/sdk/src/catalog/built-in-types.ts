import { APPROVAL_TYPES } from './approval.ts'
import { ARTIFACT_TYPES } from './artifact.ts'
import { ESCALATION_TYPES } from './escalation.ts'
import { dataSchema, type EventType, type EventTypeFamily } from './event-type.ts'
import { MEMORY_TYPES } from './memory.ts'
import { MESSAGE_TYPES } from './message.ts'
import { RUN_TYPES } from './run.ts'
import { APPROVAL_SAMPLES } from './samples/approval.ts'
import { ARTIFACT_SAMPLES } from './samples/artifact.ts'
import { ESCALATION_SAMPLES } from './samples/escalation.ts'
import { MEMORY_SAMPLES } from './samples/memory.ts'
import { MESSAGE_SAMPLES } from './samples/message.ts'
import { RUN_SAMPLES } from './samples/run.ts'
import { sampleEvent, type Sample } from './samples/sample.ts'
import { SERVICE_SAMPLES } from './samples/service.ts'
import { TASK_SAMPLES } from './samples/task.ts'
import { TOOL_CALL_SAMPLES } from './samples/tool-call.ts'
import { SERVICE_EVENT_TYPES } from './service.ts'
import { TASK_TYPES } from './task.ts'
import { TOOL_CALL_TYPES } from './tool-call.ts'

/** Every built-in event type that producers publish, by name. */
export const BUILT_IN_TYPES: ReadonlyMap<string, EventType> = new Map([
  ...complete(RUN_TYPES, RUN_SAMPLES),
  ...complete(TOOL_CALL_TYPES, TOOL_CALL_SAMPLES),
  ...complete(APPROVAL_TYPES, APPROVAL_SAMPLES),
  ...complete(MESSAGE_TYPES, MESSAGE_SAMPLES),
  ...complete(ESCALATION_TYPES, ESCALATION_SAMPLES),
  ...complete(MEMORY_TYPES, MEMORY_SAMPLES),
  ...complete(ARTIFACT_TYPES, ARTIFACT_SAMPLES),
  ...complete(TASK_TYPES, TASK_SAMPLES),
])

/** The types of the service's own events, by name: nobody publishes them, endpoints may name them. */
export const SERVICE_TYPES: ReadonlyMap<string, EventType> = new Map(complete(SERVICE_EVENT_TYPES, SERVICE_SAMPLES))

function complete<Family extends EventTypeFamily>(
  family: Family,
  samples: Readonly<Record<keyof Family, Sample>>,
): [string, EventType][] {
  return Object.entries(family).map(([type, { runScoped, fact, data }]) => {
    const sample: Sample = samples[type as keyof Family]
    return [
      type,
      {
        type,
        runScoped,
        fact,
        versions: [{ version: 1, schema: dataSchema(type, data) }],
        samples: { live: sampleEvent(type, sample, 'live'), test: sampleEvent(type, sample, 'test') },
      },
    ]
  })
}
