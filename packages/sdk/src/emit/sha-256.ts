/*
 * WebCrypto's digest is asynchronous: the id of a fact would be known only later, and the fact would be written down after
 * the agent has gone on. An id takes about 5 µs here.
 */

/** The first 32 bits of the fractional parts of the square roots, and of the cube roots, of the first primes. */
const { roots: INITIAL, cubes: ROUND_CONSTANTS } = constants()

const BLOCK_BYTES = 64

/** SHA-256 (FIPS 180-4, section 6.2), at once and without waiting. For short inputs. */
export function sha256(input: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = padded(input)
  const view = new DataView(bytes.buffer)
  const hash = Uint32Array.from(INITIAL)
  const words = new Uint32Array(BLOCK_BYTES)
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    for (let index = 0; index < 16; index++) words[index] = view.getUint32(start + index * 4)
    compress(hash, words)
  }
  const digest = new DataView(new ArrayBuffer(32))
  hash.forEach((word, index) => digest.setUint32(index * 4, word))
  return new Uint8Array(digest.buffer)
}

/** HMAC-SHA256 (RFC 2104, section 2), at once and without waiting. */
export function hmacSha256(key: Uint8Array, input: Uint8Array): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK_BYTES)
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key)
  const inner = sha256(joined(masked(block, 0x36), input))
  return sha256(joined(masked(block, 0x5c), inner))
}

/** Adds the words of a block to the hash. Numbers are 32 bits wide, so `>>> 0` and `| 0` keep them there. */
function compress(hash: Uint32Array, words: Uint32Array): void {
  for (let index = 16; index < 64; index++) {
    const before15 = at(words, index - 15)
    const before2 = at(words, index - 2)
    const low = rotated(before15, 7) ^ rotated(before15, 18) ^ (before15 >>> 3)
    const high = rotated(before2, 17) ^ rotated(before2, 19) ^ (before2 >>> 10)
    words[index] = at(words, index - 16) + low + at(words, index - 7) + high
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash
  for (let index = 0; index < 64; index++) {
    const choice = (e & f) ^ (~e & g)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    const bigE = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
    const bigA = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
    const first = (h + bigE + choice + at(ROUND_CONSTANTS, index) + at(words, index)) | 0
    const second = (bigA + majority) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0]
  }
  ;[a, b, c, d, e, f, g, h].forEach((word, index) => (hash[index] = at(hash, index) + word))
}

/** The message, a one bit, zeros, and its length in bits, in whole blocks. */
function padded(input: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil((input.length + 9) / BLOCK_BYTES)
  const bytes = new Uint8Array(blocks * BLOCK_BYTES)
  bytes.set(input)
  bytes[input.length] = 0x80
  new DataView(bytes.buffer).setBigUint64(bytes.length - 8, BigInt(input.length) * 8n)
  return bytes
}

function constants(): { roots: Uint32Array; cubes: Uint32Array } {
  const primes: number[] = []
  for (let number = 2; primes.length < 64; number++) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number)
  }
  const fraction = (root: number) => Math.floor((root - Math.floor(root)) * 2 ** 32)
  return {
    roots: Uint32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
    cubes: Uint32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
  }
}

function at(words: Uint32Array, index: number): number {
  return words[index] as number
}

function rotated(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

function masked(block: Uint8Array, mask: number): Uint8Array {
  return block.map((byte) => byte ^ mask)
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}
