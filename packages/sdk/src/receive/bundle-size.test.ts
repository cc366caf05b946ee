import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { expect, it } from 'vitest'

const LIMIT_BYTES = 12 * 1024

it(`takes at most ${LIMIT_BYTES} bytes of a bundle, compressed, without a package and without Node`, async () => {
  const bundle = await rolldown({ input: new URL('index.ts', import.meta.url).pathname, platform: 'neutral' })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  await bundle.close()
  expect(output).toHaveLength(1)
  expect(output[0].imports).toEqual([])
  const bytes = gzipSync(output[0].code).length
  // A bundle of nothing would be small, too.
  expect(output[0].code).toContain('webhook-signature')
  expect(bytes).toBeLessThanOrEqual(LIMIT_BYTES)
  expect(bytes).toBeGreaterThan(1024)
})
