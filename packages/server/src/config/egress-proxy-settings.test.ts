import { describe, expect, test } from 'vitest'
import { egressProxy } from '../wiring/egress-proxy.ts'
import { describeSettings } from './describe.ts'
import { loadSettings } from './load.ts'

const load = (text: string) => loadSettings('start', {}, { RUNBELL_EGRESS_PROXY: text })
const proxyOf = (text: string) => egressProxy(load(text).settings)

describe('the egress proxy', () => {
  test('is none unless it is set, whatever the environment says', () => {
    const { settings } = loadSettings('start', {}, { HTTP_PROXY: 'http://other:1', https_proxy: 'http://other:1' })
    expect(egressProxy(settings)).toBeNull()
  })

  test('is a host and a port, with credentials if it wants some', () => {
    const none = { authorization: null, dns: 'local' }
    expect(proxyOf('http://proxy.internal:3128')).toEqual({ ...none, host: 'proxy.internal', port: 3128 })
    expect(proxyOf('http://[fd00::1]')).toEqual({ ...none, host: 'fd00::1', port: 80 })
    const basic = `Basic ${Buffer.from('us:er:p@ss').toString('base64')}`
    expect(proxyOf('http://us%3Aer:p%40ss@proxy:8080')).toMatchObject({ authorization: basic })
  })

  test('is shown without its password', () => {
    const shown = describeSettings(load('http://user:canary@proxy:8080')).find(
      ({ name }) => name === 'RUNBELL_EGRESS_PROXY',
    )
    expect(shown?.value).toBe('http://•••@proxy:8080')
  })

  test.each([
    'proxy:3128',
    'https://proxy:3128',
    'socks5://proxy:1080',
    'http://proxy:3128/path',
    'http://u:canary@p:0',
  ])('cannot be %s', (text) => {
    expect(() => load(text)).toThrow(/^RUNBELL_EGRESS_PROXY is an http URL of a host and a port/)
    expect(() => load(text)).not.toThrow(/canary/)
  })
})
