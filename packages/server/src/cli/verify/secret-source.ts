import { CliError, EXIT } from '../cli-error.ts'
import { readFileBytes } from './read-bytes.ts'

export interface SecretOptions {
  secret?: string[]
  secretFile?: string
}

/** A secret, several at most while one is being rotated. */
const SECRET_FILE_BYTES = 16 * 1024

/**
 * The secrets to verify with, from flags, a file, or RUNBELL_SECRET; several are separated by commas or white space.
 * @throws CliError where there is none
 */
export async function readSecrets({ secret = [], secretFile }: SecretOptions): Promise<string[]> {
  if (secret.length > 0) return secret.flatMap(words)
  const text =
    secretFile === undefined
      ? (process.env['RUNBELL_SECRET'] ?? '')
      : (await readFileBytes(secretFile, SECRET_FILE_BYTES)).toString('utf8')
  const secrets = words(text.replace(/^\ufeff/, ''))
  if (secrets.length > 0) return secrets
  if (secretFile !== undefined) throw new CliError(`${secretFile} is empty: put the secret of the endpoint there`)
  throw new CliError(
    'there is no secret to verify with: give it in RUNBELL_SECRET or with --secret-file, as it was shown when the endpoint was made',
    EXIT.usage,
  )
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}
