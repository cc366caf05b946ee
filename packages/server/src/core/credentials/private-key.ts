import type { TextSpan } from './text-span.ts'

const BEGIN = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/g
const END = /-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/g
/** No private key is longer; what is cut off at the end of a text is still most of one. */
const MAX_LENGTH = 20_000

/**
 * Private keys in PEM, each from its first line to its last, or to the end of the text. The two lines are looked for separately, each
 * once through the text: a pattern of both would look for an end after every beginning.
 */
export function findPrivateKeys(text: string): TextSpan[] {
  const found: TextSpan[] = []
  BEGIN.lastIndex = 0
  let end = nextEnd(text, 0)
  for (let begin = BEGIN.exec(text); begin !== null; begin = BEGIN.exec(text)) {
    const inner = begin.index + begin[0].length
    if (end !== null && end.start < inner) end = nextEnd(text, inner)
    const stop = end !== null && end.start - inner <= MAX_LENGTH ? end.end : text.length
    if (stop - inner > MAX_LENGTH + 100) continue
    found.push({ start: begin.index, end: stop })
    BEGIN.lastIndex = stop
  }
  return found
}

function nextEnd(text: string, from: number): TextSpan | null {
  END.lastIndex = from
  const match = END.exec(text)
  return match === null ? null : { start: match.index, end: match.index + match[0].length }
}
