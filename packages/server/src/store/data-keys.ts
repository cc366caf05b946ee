import type { Audited } from './audit.ts'

/** The key that seals what one tenant keeps in one mode, or the server keeps for itself; wrapped by a master key. */
export interface DataKeyRow {
  /** Whose: `live/acme`, `test/*`, `server`. */
  owner: string
  wrapped: Uint8Array
  /** Which master key wraps it. */
  masterKeyId: string
  createdAt: number
}

export interface DataKeyVerbs {
  /** Keeps a key and answers with the one that is kept: the first of its owner. */
  putDataKey(input: { key: DataKeyRow }): Promise<DataKeyRow>
  /** Those that are there, in no order. */
  findDataKeys(input: { owners: string[] }): Promise<DataKeyRow[]>
  /** By owner, rising; `after` is the last one of the page before. */
  listDataKeys(input: { after: string | null; limit: number }): Promise<DataKeyRow[]>
  /** Gives keys another wrapping, each only if its present one is by `from`. Returns how many. */
  rewrapDataKeys(
    input: { keys: { owner: string; from: string; wrapped: Uint8Array; masterKeyId: string }[] } & Audited,
  ): Promise<number>
}
