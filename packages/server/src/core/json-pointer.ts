import { stringAt } from './json-string.ts'
import { HEAD, KEY_END, KEY_START, NODE_SIZE, PARENT, PLAIN_KEY, POSITION, type JsonTape } from './json-tape.ts'

/** Names and positions on the way from the root to a node, unescaped. */
export function pointerTokens(tape: JsonTape, bytes: Uint8Array, node: number): string[] {
  const { cells, base } = tape
  const tokens: string[] = []
  for (let current = node; current > 0;) {
    const at = base + current * NODE_SIZE
    const keyStart = cells[at + KEY_START] as number
    const plain = ((cells[at + HEAD] as number) & PLAIN_KEY) !== 0
    const isName = keyStart !== -1
    tokens.push(isName ? stringAt(bytes, keyStart, cells[at + KEY_END] as number, plain) : String(cells[at + POSITION]))
    current = cells[at + PARENT] as number
  }
  return tokens.reverse()
}

/** RFC 6901: `~` is `~0`, `/` is `~1`. Ends before the token that would make it longer than `maxLength`. */
export function joinPointer(tokens: readonly string[], maxLength: number): string {
  let pointer = ''
  for (const token of tokens) {
    const longer = `${pointer}/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (longer.length > maxLength) return pointer
    pointer = longer
  }
  return pointer
}
