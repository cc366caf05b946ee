/** Apart, so that nobody who looks for keys finds one here. */
const PRIVATE = 'PRIVATE'

/** What nobody may ever see again, one of each kind. Put together here, so that nobody who looks for secrets finds these. */
export const PLANTED: readonly { kind: string; secret: string }[] = [
  { kind: 'OpenAI key', secret: ['sk', 'proj', 'Zq8Jw2Lk0Vb5Xn7Rt3Yc9Md1Fg6Hs4Pa8Eu2Oi'].join('-') },
  {
    kind: 'Anthropic key',
    secret: ['sk', 'ant', 'api03', 'kL9mN2pQ4rS6tU8vW0xY1zA3bC5dE7fG9hI1jK3lM5nO7pQ9rS1tU3vW5xY7zA9b'].join('-'),
  },
  { kind: 'AWS access key id', secret: ['AKIA', 'Q3EGVXJM5TZ2WLPD'].join('') },
  { kind: 'GitHub token', secret: ['ghp', 'aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5'].join('_') },
  { kind: 'Slack token', secret: ['xoxb', '2839471056', '8471920365', 'qWeRtYuIoPaSdFgHjKlZxCvB'].join('-') },
  { kind: 'Stripe key', secret: ['sk', 'live', '51Hx7QkLm2Np9RsTv4WyZb6Cd8'].join('_') },
  { kind: 'Google key', secret: ['AIza', 'SyD3k9Lm2Qw7Er5Ty8Ui1Op4As6Df0Gh2Jk'].join('') },
  {
    kind: 'SendGrid key',
    secret: ['SG', 'aBcDeFgHiJkLmNoPqRsTuV', 'xYz0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ0123'].join('.'),
  },
  { kind: 'Hugging Face token', secret: ['hf', 'QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi'].join('_') },
  { kind: 'npm token', secret: ['npm', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'].join('_') },
  {
    kind: 'JSON Web Token',
    secret: [
      Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url'),
      Buffer.from('{"sub":"usr_5521","name":"Dana Rivers","iat":1795000000}').toString('base64url'),
      'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    ].join('.'),
  },
  { kind: 'bearer token', secret: `Bearer ${['q7Rv', 'T2xW', '9yZb', '4cDf', '6gHj', '8kLm'].join('')}` },
  { kind: 'card number', secret: ['4539', '5787', '6362', '1486'].join(' ') },
  {
    kind: 'password of a connection',
    secret: `postgres://app:${['Tr0ub4dor', 'and', '3xtra'].join('-')}@db.internal:5432/orders`,
  },
  {
    kind: 'private key',
    secret: [
      `-----BEGIN ${PRIVATE} KEY-----`,
      'MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF',
      `-----END ${PRIVATE} KEY-----`,
    ].join('\n'),
  },
]

/** The part of a secret that may not be found, in the forms it could be found in. */
export function plantedForms(secret: string): [form: string, bytes: Buffer][] {
  const core = Buffer.from(coreOf(secret))
  // In base64 of a longer text its bytes can begin at three places of a group; the outer characters mix with others.
  const base64 = [0, 1, 2].map((shift): [string, Buffer] => {
    const whole = Buffer.concat([Buffer.alloc(shift), core])
      .toString('base64')
      .replace(/=+$/, '')
    return [`base64 ${shift}`, Buffer.from(whole.slice(shift === 0 ? 0 : 4, -2))]
  })
  return [
    ['raw', core],
    ['as JSON', Buffer.from(JSON.stringify(core.toString()).slice(1, -1))],
    ['hex', Buffer.from(core.toString('hex'))],
    ['HEX', Buffer.from(core.toString('hex').toUpperCase())],
    ...base64,
  ]
}

/** What must not remain: of a text with a password in it the password. */
function coreOf(secret: string): string {
  const password = /^\w+:\/\/[^:]+:([^@]+)@/.exec(secret)?.[1]
  if (password !== undefined) return password
  if (secret.startsWith('Bearer ')) return secret.slice('Bearer '.length)
  const key = /-----\n([A-Za-z0-9+/=]+)\n-----/.exec(secret)?.[1]
  return key ?? secret
}
