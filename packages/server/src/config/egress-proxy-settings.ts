import { SettingError, type SettingSpec } from './setting-spec.ts'

export interface EgressProxySettings {
  /** `null`: none. */
  egressProxy: URL | null
  egressProxyDns: 'local' | 'proxy'
}

export const EGRESS_PROXY_SETTINGS: {
  readonly [Name in keyof EgressProxySettings]: SettingSpec<EgressProxySettings[Name]>
} = {
  egressProxy: {
    env: 'RUNBELL_EGRESS_PROXY',
    flag: '--egress-proxy',
    meaning: 'Forward proxy that deliveries leave through, by CONNECT: http://[user:password@]host:port.',
    secret: true,
    default: () => null,
    parse: parseProxy,
    format: (url) => (url === null ? '' : hidePassword(url)),
  },
  egressProxyDns: {
    env: 'RUNBELL_EGRESS_PROXY_DNS',
    flag: '--egress-proxy-dns',
    meaning:
      'Who resolves names: local, so that addresses are vetted here; or proxy, which then has to refuse private ones itself.',
    default: () => 'local',
    parse(text) {
      if (text === 'local' || text === 'proxy') return text
      throw new SettingError('is local or proxy')
    },
    format: String,
  },
}

function parseProxy(text: string): URL | null {
  if (text === '') return null
  const url = URL.parse(text)
  const isProxy =
    url !== null && url.protocol === 'http:' && url.port !== '0' && url.pathname === '/' && url.search + url.hash === ''
  if (isProxy) return url
  throw new SettingError('is an http URL of a host and a port, such as http://proxy.internal:3128')
}

function hidePassword(url: URL): string {
  const who = url.username === '' && url.password === '' ? '' : '•••@'
  return `http://${who}${url.host}`
}
