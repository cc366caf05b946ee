import { open } from 'node:fs/promises'
import { CliError } from '../cli-error.ts'

/**
 * A whole file, never more of it than the limit.
 * @param path `-` is standard input
 * @throws CliError where it cannot be read or is larger
 */
export async function readFileBytes(path: string, maxBytes: number): Promise<Buffer> {
  const name = path === '-' ? 'standard input' : path
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of path === '-' ? process.stdin : (await open(path)).createReadStream()) {
      length += (chunk as Buffer).length
      if (length > maxBytes) break
      chunks.push(chunk as Buffer)
    }
  } catch (error) {
    throw new CliError(
      `${name} cannot be read (${(error as NodeJS.ErrnoException).code}): check the path and its rights`,
    )
  }
  if (length > maxBytes) throw new CliError(`${name} has more than ${maxBytes} bytes: no event is so large`)
  return Buffer.concat(chunks)
}
