export { BUILT_IN_TYPES, SERVICE_TYPES } from './built-in-types.ts'
// With a star: only so can another module add to what is inside.
export * from './own-types.ts'
export { RESERVED_TYPE_PREFIXES } from './reserved-prefixes.ts'
export * from './values.ts'
export type { Actor, EventError, Resource, Tool, Usage } from './definitions.ts'
export type {
  DataOf,
  EventDataByType,
  EventInput,
  EventMatching,
  EventOf,
  EventTypeName,
  KnownEventType,
  ServiceEventDataByType,
  ServiceEventTypeName,
} from './event-data.ts'
export type { EventType, EventTypeFact, EventTypeVersion } from './event-type.ts'
export type { JsonSchema } from './json-schema.ts'
