import type { CredentialKind } from '../../src/core/credentials/credential-patterns.ts'

/** A made-up credential. Put together here, so that nobody who looks for secrets in this file finds one. */
interface Planted {
  name: string
  /** As it stands in a text. */
  text: string
  /** What must not remain of it. */
  secret: string
  kind: CredentialKind
}

/** Apart, so that nobody who looks for keys finds one here. */
const PRIVATE = 'PRIVATE'
const WORD = 'Zq8Jw2Lk0Vb5Xn7Rt3Yc9Md1Fg6Hs4Pa8Eu2Oi5Kj7Bv3Cx1Wz9Qm4Nn6Ll8Tt0Gg2Ss5'
const HEX = '3f9a1c7e5b2d8046af13c9e7b5d2806414fa3b9c7e5d1f2a8b6c4d0e9f7a5b3c1d2e'
const UPPER = 'Q3EGVXJM5TZ2WLPDRK7N'
const mixed = (length: number) => WORD.slice(0, length)

function key(name: string, prefix: string, rest: string): Planted {
  const secret = prefix + rest
  return { name, text: secret, secret, kind: 'api_key' }
}

export const PLANTED_CREDENTIALS: readonly Planted[] = [
  key('OpenAI', 'sk-', mixed(48)),
  key('OpenAI project', 'sk-proj-', mixed(60)),
  key('Anthropic', 'sk-ant-api03-', mixed(70)),
  key('AWS id', 'AKIA', UPPER.slice(0, 16)),
  key('AWS session id', 'ASIA', UPPER.slice(0, 16)),
  key('Google', 'AIza', `Sy${mixed(33)}`),
  key('Google OAuth', 'GOCSPX-', mixed(28)),
  key('Google access token', 'ya29.', mixed(60)),
  ...['p', 'o', 'u', 's', 'r'].map((letter) => key(`GitHub gh${letter}`, `gh${letter}_`, mixed(36))),
  key('GitHub fine-grained', 'github_pat_', mixed(60)),
  key('GitLab', 'glpat-', mixed(20)),
  ...['a', 'b', 'p', 'r', 's'].map((letter) => key(`Slack xox${letter}`, `xox${letter}-`, `2839471056-${mixed(24)}`)),
  key('Stripe live', 'sk_live_', mixed(24)),
  key('Stripe restricted', 'rk_live_', mixed(24)),
  key('Stripe test', 'sk_test_', mixed(24)),
  key('webhook secret', 'whsec_', mixed(32)),
  key('Twilio', 'SK', HEX.slice(0, 32)),
  key('SendGrid', 'SG.', `${mixed(22)}.${WORD.slice(5, 48)}`),
  key('Mailgun', 'key-', HEX.slice(0, 32)),
  key('npm', 'npm_', mixed(36)),
  key('PyPI', 'pypi-', mixed(60)),
  key('Hugging Face', 'hf_', mixed(34)),
  key('Groq', 'gsk_', mixed(52)),
  key('Replicate', 'r8_', mixed(37)),
  key('xAI', 'xai-', mixed(70)),
  key('Perplexity', 'pplx-', mixed(48)),
  key('Shopify', 'shpat_', HEX.slice(0, 32)),
  key('DigitalOcean', 'dop_v1_', HEX.slice(0, 64)),
  key('Databricks', 'dapi', HEX.slice(0, 32)),
  key('Vault', 'hvs.', mixed(40)),
  key('Doppler', 'dp.pt.', mixed(43)),
  key('Linear', 'lin_api_', mixed(40)),
  key('Notion', 'ntn_', mixed(46)),
  key('Postman', 'PMAK-', `${HEX.slice(0, 24)}-${HEX.slice(10, 44)}`),
  key('Runbell', 'rb_live_', `abcd0123efgh4567_${mixed(43)}_39bf43ad`),
  key('Telegram', '', `123456789:AA${mixed(33)}`),
  { name: 'Azure storage', text: `AccountKey=${WORD}${WORD.slice(0, 14)}==`, secret: WORD, kind: 'api_key' },
  {
    name: 'Slack webhook',
    text: `https://hooks.slack.com/services/T01ABCDEF/B02ABCDEF/${mixed(24)}`,
    secret: mixed(24),
    kind: 'api_key',
  },
  { name: 'bearer', text: `Authorization: Bearer ${mixed(40)}`, secret: mixed(40), kind: 'bearer_token' },
  { name: 'basic', text: `Authorization: Basic ${mixed(30)}=`, secret: mixed(30), kind: 'bearer_token' },
  {
    name: 'password',
    text: 'password=' + ['hunter2', 'hunter2'].join('!'),
    secret: ['hunter2', 'hunter2'].join('!'),
    kind: 'password',
  },
  { name: 'client secret', text: `client_secret: "${mixed(30)}"`, secret: mixed(30), kind: 'password' },
  { name: 'AWS secret', text: `AWS_SECRET_ACCESS_KEY=${mixed(40)}`, secret: mixed(40), kind: 'password' },
  { name: 'token in JSON', text: `{"access_token":"${mixed(40)}"}`, secret: mixed(40), kind: 'password' },
  {
    name: 'JSON Web Token',
    text: [
      Buffer.from('{"alg":"HS256"}').toString('base64url'),
      Buffer.from('{"sub":"1234567890"}').toString('base64url'),
      mixed(43),
    ].join('.'),
    secret: mixed(43),
    kind: 'jwt',
  },
  {
    name: 'postgres',
    text: `postgres://app:${mixed(14)}@db.internal:5432/orders`,
    secret: mixed(14),
    kind: 'connection_string',
  },
  { name: 'redis', text: `redis://:${mixed(14)}@cache:6379/0`, secret: mixed(14), kind: 'connection_string' },
  {
    name: 'https with a password',
    text: `https://deploy:${mixed(14)}@git.acme.example/repo.git`,
    secret: mixed(14),
    kind: 'connection_string',
  },
  ...['', 'RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED '].map((type): Planted => ({
    name: `private key ${type}`,
    text: `-----BEGIN ${type}${PRIVATE} KEY-----\n${WORD}\n${WORD}\n-----END ${type}${PRIVATE} KEY-----`,
    secret: WORD,
    kind: 'private_key',
  })),
  ...[
    '4539 5787 6362 1486',
    '4539578763621486',
    '5555-5555-5555-4444',
    '378282246310005',
    '6011111111111117',
    '3530111333300000',
  ].map((card): Planted => ({ name: `card ${card.slice(0, 4)}`, text: card, secret: card, kind: 'card_number' })),
]

/** Where a credential can stand. */
export const SENTENCES = [
  '{}',
  'Use {} for this.',
  'here it is: {}',
  '{} is what you asked for',
  '"{}"',
  'curl -H "{}" https://api.acme.example/orders',
  'first line\n{}\nlast line',
  '(see {})',
]
