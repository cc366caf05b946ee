/**
 * What is needed of a Standard Schema, version 1 (https://standardschema.dev): schemas of Zod, Valibot, ArkType and others
 * fit, without a package of theirs being imported here.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Schemas of a producer's own types, by type. */
export type OwnSchemas = Readonly<Record<string, StandardSchema>>

/** What a schema takes. */
export type SchemaInput<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly input: infer Input }
    ? Input
    : unknown
  : unknown

/**
 * Where each issue is, as JSON Pointers into the event. Not what the issues say: some libraries repeat the value there.
 */
export function issuePaths(issues: readonly StandardIssue[]): string[] {
  return issues.map(({ path = [] }) => {
    const keys = path.map((key) => (typeof key === 'object' ? key.key : key))
    return ['/data', ...keys.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/')
  })
}
