/** What is in a database, as somebody sees it who only looks: nothing is made, changed or locked. */
export interface Inspection {
  /** How many migrations it has had; 0: it is empty. */
  schema: number
  /** How many this program knows. */
  knownSchema: number
  /** Where everything in it has gone; `null`: it is here. */
  movedTo: string | null
  /** `null` where the schema is not the one this program knows. */
  content: InspectedContent | null
}

export interface InspectedContent {
  /** Service time that was last put on record, ms. */
  highWater: number
  /** Valid keys with the scope `admin`. */
  adminKeys: number
  /** Which master keys wrap data keys in it. */
  masterKeyIds: string[]
  /** Of endpoints that are not deleted, at most `MAX_INSPECTED_URLS`. */
  urls: string[]
}

export const MAX_INSPECTED_URLS = 1000
