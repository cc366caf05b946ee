import type { JsonIndex } from '../json-index.ts'

/** `*` in a path: every element of an array. */
export const EVERY = '*'

/** The tokens of a JSON Pointer (RFC 6901), unescaped. */
export function tokensOf(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Every value a path leads to, in document order. */
export function nodesAt(json: JsonIndex, tokens: readonly string[]): number[] {
  let nodes = [json.root]
  for (const token of tokens) nodes = nodes.flatMap((node) => step(json, node, token))
  return nodes
}

function step(json: JsonIndex, node: number, token: string): number[] {
  const kind = json.kind(node)
  if (kind === 'array') return token === EVERY ? [...json.children(node)] : []
  if (kind !== 'object') return []
  const member = json.member(node, token)
  return member === -1 ? [] : [member]
}
