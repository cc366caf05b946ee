export { BUILT_IN_TYPES, SERVICE_TYPES } from './built-in-types.ts'
export { RESERVED_TYPE_PREFIXES } from './reserved-prefixes.ts'
export * from './values.ts'
export type { Actor, EventError, Resource, Tool, Usage } from './definitions.ts'
export type {
  DataOf,
  EventDataByType,
  EventMatching,
  EventOf,
  EventTypeName,
  ServiceEventDataByType,
  ServiceEventTypeName,
} from './event-data.ts'
export type { EventType, EventTypeFact, EventTypeVersion } from './event-type.ts'
export type { JsonSchema } from './json-schema.ts'
