import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { CliError, EXIT } from '../cli-error.ts'

/** A type of a producer's own catalog, as it stands in a file: what `POST /v1/event-types` takes, with all its versions. */
export interface TypeInFile {
  type: string
  fact: string
  run_scoped?: boolean | undefined
  enforcement?: 'enforce' | 'warn' | undefined
  lifecycle?: 'warn' | 'reject' | undefined
  /** Rising from 1. */
  versions: VersionInFile[]
}

export interface VersionInFile {
  version: number
  schema: Record<string, unknown>
  /** How it becomes the version before; from version 2 on. */
  down_conversion?: unknown[] | undefined
  /** Data that is valid under it. */
  examples: Record<string, unknown>[]
}

const object = z.record(z.string(), z.unknown())

const typeSchema = z.strictObject({
  type: z.string(),
  fact: z.string(),
  run_scoped: z.boolean().optional(),
  enforcement: z.enum(['enforce', 'warn']).optional(),
  lifecycle: z.enum(['warn', 'reject']).optional(),
  versions: z
    .array(
      z.strictObject({
        version: z.int().min(1),
        schema: object,
        down_conversion: z.array(z.unknown()).optional(),
        examples: z.array(object),
      }),
    )
    .min(1),
})

/**
 * Reads a catalog: a JSON file with one type or an array of them, or a folder of such files.
 * @throws CliError that names the file and the place in it
 */
export function readCatalog(path: string): TypeInFile[] {
  const types = filesOf(path).flatMap(readFile)
  const seen = new Map<string, number>()
  for (const { type } of types) seen.set(type, (seen.get(type) ?? 0) + 1)
  const twice = [...seen].find(([, count]) => count > 1)
  if (twice !== undefined) throw new CliError(`${path} has ${twice[0]} twice: keep one of them`)
  return types
}

function filesOf(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) {
    throw new CliError(`there is no ${path}: name the file or folder of your catalog`, EXIT.usage)
  }
  if (!stat.isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => name.endsWith('.json'))
  if (names.length === 0) throw new CliError(`${path} has no .json file in it`)
  return names.toSorted().map((name) => join(path, name))
}

function readFile(path: string): TypeInFile[] {
  const value = parseFile(path)
  const types = Array.isArray(value) ? value : [value]
  return types.map((type: unknown, index) => {
    const read = typeSchema.safeParse(type)
    if (read.success) return ordered(path, read.data)
    const [issue] = read.error.issues
    const place = [...(Array.isArray(value) ? [index] : []), ...(issue?.path ?? [])].map(String)
    throw new CliError(`${path}, at /${place.join('/')}: ${issue?.message ?? 'is not a type of a catalog'}`)
  })
}

function parseFile(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new CliError(
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code}): check that it is a file of yours`,
    )
  }
  try {
    // Some editors begin a file with a byte order mark.
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new CliError(`${path} is not JSON: ${(error as SyntaxError).message}`)
  }
}

function ordered(path: string, type: TypeInFile): TypeInFile {
  const wrong = type.versions.find(({ version }, index) => version !== index + 1)
  if (wrong === undefined) return type
  throw new CliError(`${path}: the versions of ${type.type} are 1, 2, 3 and so on, in this order`)
}
