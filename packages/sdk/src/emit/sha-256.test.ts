import { createHash, createHmac, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { hmacSha256, sha256 } from './sha-256.ts'

it('is what node:crypto says, for every length around the blocks', () => {
  for (let length = 0; length <= 200; length++) {
    const [key, input] = [randomBytes(length), randomBytes(length)]
    expect(Buffer.from(sha256(input)).toString('hex')).toBe(createHash('sha256').update(input).digest('hex'))
    expect(Buffer.from(hmacSha256(key, input)).toString('hex')).toBe(
      createHmac('sha256', key).update(input).digest('hex'),
    )
  }
})

it('does not hang on the last bit of a root, which engines may round in their own ways', () => {
  const primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101]
  primes.push(103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199, 211)
  primes.push(223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307, 311)
  expect(primes).toHaveLength(64)
  for (const prime of primes) {
    const scaled = (Math.cbrt(prime) % 1) * 2 ** 32
    // A root is off by 1e-15 at most, which is 4e-6 here.
    expect(Math.abs(scaled - Math.round(scaled))).toBeGreaterThan(1e-4)
  }
})
