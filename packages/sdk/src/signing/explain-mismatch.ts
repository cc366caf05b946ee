import { MAX_EXPLAINED_BYTES, originalBodies } from './body-changes.ts'
import { refuse, type BodyChange, type VerifyFailure } from './verification.ts'

const KEEP_RAW = 'Verify the bytes as they came, before anything reads, decodes or prints them.'

const CHANGES: Record<BodyChange, string> = {
  bom_added: 'a byte order mark was put before it',
  bom_removed: 'the byte order mark before it was removed',
  final_newline_added: 'a line break was added at its end',
  final_newline_removed: 'the line break at its end was removed',
  lf_became_crlf: 'line breaks were turned from LF into CRLF',
  crlf_became_lf: 'line breaks were turned from CRLF into LF',
  utf8_read_as_latin1: 'its UTF-8 was read as Latin-1 and encoded again',
  utf8_sent_as_latin1: 'its text was turned from UTF-8 into Latin-1',
  json_reformatted: 'its JSON was parsed and printed again with other white space or escapes',
}

/**
 * Explains a signature that does not match: undoes, one at a time, what usually happens to bodies and tries again.
 * @param matches whether a signature is right for this body
 */
export async function explainMismatch(
  body: Uint8Array,
  matches: (body: Uint8Array) => Promise<boolean>,
): Promise<VerifyFailure> {
  if (body.length <= MAX_EXPLAINED_BYTES) {
    for (const { change, original } of originalBodies(body)) {
      if (!(await matches(original))) continue
      const message = `The body was changed after it was signed: ${CHANGES[change]}. The secret is right.`
      return { ...refuse('wrong_signature', message, KEEP_RAW), likelyCause: change }
    }
  }
  const message =
    'No signature matches this body with the secrets given: another secret signed it, or the body was changed.'
  const fix = `Compare the secret with the endpoint's. ${KEEP_RAW} JSON that was parsed and stringified has other bytes.`
  return refuse('wrong_signature', message, fix)
}
