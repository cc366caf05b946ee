import type { Warning } from './api.ts'

/** What a filter lets through, tried on events that there are (`POST /v1/endpoints/{id}/filter/check`). */
export interface FilterCheck {
  endpoint_id: string
  /** The one that was tried: that of the request, or the saved one; `null`: none, every event of the types. */
  filter: unknown
  warnings: Warning[]
  /** The latest events of the endpoint's types, at most 200. */
  events: {
    looked_at: number
    matched: number
    /** Their payload is gone: they are in neither number. */
    payload_gone: number
    /** When the oldest of them was recorded; `null`: there is none. */
    since: string | null
  }
  /** Ids of the latest ones, at most 5 of each kind. */
  examples: { matched: string[]; not_matched: string[] }
  /** The event that was asked about; `null`: none was. */
  event: FilterExplanation | null
}

/** Why one event passes a filter, or does not. */
export interface FilterExplanation {
  event_id: string
  type: string
  /** Whether the endpoint gets events of this type at all. */
  subscribed: boolean
  /** Whether it passes the filter. */
  matched: boolean
  conditions: {
    /** JSON Pointer to the condition in the filter. */
    path: string
    /** JSON Pointer to the field in the event. */
    field: string
    /** Of this condition alone, whatever `not` it stands in. */
    holds: boolean
    /** `absent`: it is not there, or not public in the version in which the event was published. */
    found: 'value' | 'list_or_object' | 'absent'
    /** A text longer than 200 characters ends with `…`. */
    value?: string | number | boolean | null | undefined
  }[]
}
