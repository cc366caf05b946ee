import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditContent, auditLine, chainText, GENESIS, type AuditEntry } from './audit-entry.ts'
import { ChainCheck, type ChainVerdict } from './check-chain.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

function entry(n: number, fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    ...{ mode: 'live', tenantId: 'acme', at: 1_700_000_000_000 + n, actor: 'key_a', action: 'endpoint.updated' },
    ...{ target: `ep_${n}`, detail: { description: `"seq":${n},\n"mode":"test"` }, requestId: null },
    ...fields,
  }
}

interface Link {
  seq: number
  hash: string
  content: string
}

/** Entries as a store would chain them. */
function chain(entries: AuditEntry[], from = { seq: 0, hash: GENESIS }): Link[] {
  let head = from
  return entries.map((one) => {
    const content = auditContent(one)
    head = { seq: head.seq + 1, hash: sha256(chainText(head.hash, content)) }
    return { ...head, content }
  })
}

const lines = (links: Link[]) => links.map((link) => auditLine(link, link.content))

function check(text: readonly string[], expected: { seq: number; hash: string } | null = null): ChainVerdict {
  const checking = new ChainCheck({ sha256, expect: expected })
  for (const line of text) checking.add(line)
  return checking.end()
}

const five = chain([1, 2, 3, 4, 5].map((n) => entry(n)))

describe('a chain', () => {
  it('is as it was made', () => {
    const { seq, hash } = five[4] as Link
    expect(check(lines(five))).toEqual({ ok: true, entries: 5, from: 1, head: { seq, hash } })
    expect(check([])).toEqual({ ok: true, entries: 0, from: null, head: null })
  })

  it('gives away whatever is done to it', () => {
    const all = lines(five)
    const anyLine = fc.nat(all.length - 2)
    fc.assert(
      fc.property(
        fc.constantFrom('change', 'drop', 'swap', 'repeat', 'forge'),
        anyLine,
        fc.nat(500),
        (how, at, place) => {
          const text = [...all]
          const line = text[at] as string
          if (how === 'change') {
            const index = place % line.length
            const other = line[index] === 'x' ? 'y' : 'x'
            text[at] = line.slice(0, index) + other + line.slice(index + 1)
          } else if (how === 'drop') text.splice(at, 1)
          else if (how === 'swap') text.splice(at, 2, text[at + 1] as string, line)
          else if (how === 'repeat') text.splice(at, 0, line)
          else text[at] = auditLine(five[at] as Link, auditContent(entry(at + 1, { actor: 'key_mallory' })))
          expect(check(text).ok).toBe(false)
        },
      ),
    )
  })

  it('that was made anew is given away by a head that was written down', () => {
    const { seq, hash } = five[2] as Link
    expect(check(lines(five), { seq, hash }).ok).toBe(true)
    const forged = chain([1, 2, 3, 4, 5].map((n) => entry(n, n === 2 ? { actor: 'key_mallory' } : {})))
    expect(check(lines(forged)).ok).toBe(true)
    expect(check(lines(forged), { seq, hash })).toMatchObject({ ok: false, seq: 3 })
    expect(check(lines(five.slice(0, 2)), { seq, hash })).toMatchObject({ ok: false, seq: 3 })
  })

  it('goes on from what was pruned, if that is on record, and only then', () => {
    const { seq, hash } = five[1] as Link
    const pruned = entry(6, { action: 'audit.pruned', detail: { through_seq: seq, hash, entries: 2 } })
    const rest = chain([...[3, 4, 5].map((n) => entry(n)), pruned], { seq, hash })
    expect(check(lines(rest))).toMatchObject({ ok: true, entries: 4, from: 3, head: { seq: 6 } })
    expect(check(lines(rest.slice(0, 3)))).toMatchObject({ ok: false, seq: 3 })
    expect(check(lines(rest.slice(1)))).toMatchObject({ ok: false, seq: 4 })
    expect(check(lines(rest), { seq: 1, hash: GENESIS })).toMatchObject({ ok: false, seq: 1 })
    const wrong = chain([entry(3), { ...pruned, detail: { through_seq: seq, hash: GENESIS } }], { seq, hash })
    expect(check(lines(wrong))).toMatchObject({ ok: false, seq: 3 })
  })

  it.each(['no line', '{"seq":1}', '{"seq":null,"hash":null,"at":"x"}', '{"seq":1,"hash":"zz","at":""}'])(
    'has no line such as %s',
    (line) => {
      expect(check([line])).toMatchObject({ ok: false, seq: null })
    },
  )
})
