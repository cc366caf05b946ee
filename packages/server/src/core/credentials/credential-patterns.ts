import { isCardNumber } from './card-number.ts'

/** What kind of credential something looks like. */
export type CredentialKind =
  | 'api_key'
  | 'bearer_token'
  | 'private_key'
  | 'jwt'
  | 'connection_string'
  | 'password'
  | 'card_number'

/** How one kind of credential is found. */
export interface CredentialPattern {
  kind: CredentialKind
  /**
   * Global and with the flag `d`; the first group, or else the whole match, is what is masked. Every repeat has an upper
   * bound, so that no text makes the search slower than in proportion to its length.
   */
  pattern: RegExp
  /** Looks at what was found more closely. */
  accepts?(secret: string): boolean
}

/** Not inside a longer word. */
const START = '(?<![A-Za-z0-9_-])'

function key(body: string): CredentialPattern {
  return { kind: 'api_key', pattern: new RegExp(`${START}(?:${body})`, 'dg'), accepts: isVaried }
}

/** Placeholders in documentation are `sk-xxxx…`, `<your key>` or `$TOKEN`: nothing is lost where they stay. */
function isVaried(secret: string): boolean {
  return new Set(secret.slice(secret.search(/[-_.]/) + 1)).size >= 8
}

function looksRandom(secret: string): boolean {
  if (/^(?:[$<{[*%•/.]|process\.|os\.|env\.)|\(/.test(secret) || /^(?:x+|\*+|\.+)$/i.test(secret)) return false
  return secret.length >= 8 && new Set(secret).size >= 5
}

/** A value that is a word of an ordinary sentence has neither digits nor signs in it. */
function looksLikeSecret(secret: string): boolean {
  return looksRandom(secret) && /[0-9!@#$%^&+/=_]|[a-z][A-Z]|-.*\d/.test(secret)
}

/** Providers' own keys, each known by how it begins. */
const PROVIDERS: readonly CredentialPattern[] = [
  // OpenAI, Anthropic and the many that took over their form.
  key('sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_-]{20,250}'),
  key('(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])'),
  key('AIza[A-Za-z0-9_-]{30,45}'),
  key('GOCSPX-[A-Za-z0-9_-]{20,60}'),
  key('ya29\\.[A-Za-z0-9_-]{20,250}'),
  key('gh[pousr]_[A-Za-z0-9]{20,255}'),
  key('github_pat_[A-Za-z0-9_]{20,255}'),
  key('glpat-[A-Za-z0-9_-]{20,60}'),
  key('xox[abeoprs]-[A-Za-z0-9-]{10,250}'),
  key('xapp-[A-Za-z0-9-]{10,250}'),
  { kind: 'api_key', pattern: /hooks\.slack\.com\/services\/([A-Za-z0-9/]{20,100})/dg },
  key('[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}'),
  key('whs[ekp]c?_[A-Za-z0-9+/=_-]{20,250}'),
  key('SK[0-9a-f]{32}(?![A-Za-z0-9])'),
  key('SG\\.[A-Za-z0-9_-]{16,40}\\.[A-Za-z0-9_-]{30,60}'),
  key('key-[0-9a-f]{32}(?![A-Za-z0-9])'),
  key('npm_[A-Za-z0-9]{30,60}'),
  key('pypi-[A-Za-z0-9_-]{40,250}'),
  key('(?:hf|gsk|r8)_[A-Za-z0-9]{28,80}'),
  key('(?:xai|pplx)-[A-Za-z0-9]{30,120}'),
  key('shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}'),
  key('do[por]_v1_[0-9a-f]{40,80}'),
  key('dapi[0-9a-f]{32}'),
  key('hv[sb]\\.[A-Za-z0-9_-]{20,250}'),
  key('dp\\.(?:pt|st|ct)\\.[A-Za-z0-9]{30,60}'),
  key('lin_api_[A-Za-z0-9]{30,60}'),
  key('(?:ntn|secret)_[A-Za-z0-9]{40,60}'),
  key('PMAK-[0-9a-f]{20,30}-[0-9a-f]{30,40}'),
  key('rb_(?:live|test)_[a-z0-9]{16}_[A-Za-z0-9]{43}_[0-9a-f]{8}'),
  key('[0-9]{8,10}:AA[A-Za-z0-9_-]{32,36}'),
  { kind: 'api_key', pattern: /(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,100}={0,2})/dg },
  { kind: 'api_key', pattern: /[?&](?:sig|X-Amz-Signature)=([A-Za-z0-9%+/=]{20,200})/dg },
]

/** Names that stand before a secret: `password=…`, `"api_key": "…"`, `AWS_SECRET_ACCESS_KEY: …`. */
const NAMED =
  /(?:pass(?:word|wd|phrase)?|pwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token|refresh[_-]?token|client[_-]?secret|private[_-]?key|token)["']?\s{0,3}[=:]\s{0,3}["']?([^\s"',;&<>]{8,250})/dgi

/** In this order, after private keys: what an earlier one has found, a later one leaves alone. */
export const CREDENTIAL_PATTERNS: readonly CredentialPattern[] = [
  {
    kind: 'jwt',
    pattern: /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,1000}/dg,
  },
  {
    kind: 'connection_string',
    pattern: /[a-z][a-z0-9+.-]{1,30}:\/\/[^\s:/@"']{0,100}:([^\s/@"']{1,200})@/dgi,
    accepts: (secret) => !/^(?:\$|<|\{|\*{3}|•|\[masked)/.test(secret),
  },
  ...PROVIDERS,
  {
    kind: 'bearer_token',
    pattern: /(?:bearer|basic)\s{1,3}([A-Za-z0-9._~+/-]{16,4000}={0,2})/dgi,
    accepts: looksLikeSecret,
  },
  { kind: 'password', pattern: NAMED, accepts: looksLikeSecret },
  {
    kind: 'card_number',
    pattern: /(?<![A-Za-z0-9.-])(?:[0-9][ -]?){12,18}[0-9](?![A-Za-z0-9]|[.-][0-9])/dg,
    accepts: (text) => isCardNumber(text.replaceAll(/[ -]/g, '')),
  },
]
