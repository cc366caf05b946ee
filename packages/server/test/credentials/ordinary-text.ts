/** What agents say and do all day, without a credential in it: nothing here may be masked. */
const WRITTEN = [
  'I want my money back for order 7781',
  'Please reset the password of my account.',
  'The password must have at least 12 characters.',
  'password: ask your manager',
  'I forgot my password, can you send a new one?',
  'the token was invalid, so the request was refused',
  'token: expired',
  'Bearer of bad news: the parcel is lost.',
  'Use Authorization: Bearer $TOKEN here',
  'Authorization: Bearer <your token>',
  'export OPENAI_API_KEY=sk-...',
  'OPENAI_API_KEY=${OPENAI_API_KEY}',
  'api_key: "<your-api-key>"',
  'api_key=********',
  'secret: ask in the channel',
  'That is a secret between us.',
  'A basic subscription costs 9 EUR a month.',
  'basic understanding of webhooks',
  'a risk-based approach, a task-list, a desk-lamp and a mask-wearing clerk',
  'sk-learn is short for scikit-learn',
  'git checkout 3f9a1c7e5b2d8046af13c9e7b5d280641a2b3c4d',
  'commit e83c5163316f89bfbde7d9ab23ca2e25604af290',
  'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'c56a4180-65aa-42ec-a945-5fd21dec0538',
  '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  'evt_01m84s5378efqbtmfyyyta7z09',
  'call_9f2KQmX81LbTz0PvRwYs',
  'toolu_01A09q90qw90lq917835lq9',
  'IBAN DE89 3704 0044 0532 0130 00',
  'GB82 WEST 1234 5698 7654 32',
  'ISBN 978-3-16-148410-0',
  'EAN 4006381333931',
  'tracking number 1Z999AA10123456784',
  'tracking number 00340434161094042557',
  'call me at +49 30 901820 or (555) 123-4567',
  'phone 0049 170 1234 5678',
  'order 4000000000000000 was cancelled',
  'invoice number 1234 5678 9012 3456',
  'id 1000000000000000001',
  '1795000000000',
  '2026-11-23T18:02:10.120Z',
  '192.168.0.1:8080 and [2001:db8::1]:443',
  'https://api.acme.example/orders/7781?expand=items&locale=de-DE',
  'https://acme.example:8443/path',
  'http://localhost:3000/callback?state=abc',
  'mailto:dana@example.com',
  'postgres://localhost:5432/orders',
  'postgres://app:$PASSWORD@db/orders',
  'redis://cache:6379/0',
  's3://bucket/key-with-dashes/file.txt',
  'key-value store',
  'the key- and value-types differ',
  'const token = await getToken()',
  'const apiKey = process.env.API_KEY',
  'if (password === null) throw new TypeError("password is required")',
  'function isSecret(value: string): boolean { return value.startsWith("whsec_") }',
  'TypeError: Cannot read properties of undefined (reading "token")',
  '    at Object.<anonymous> (/app/src/index.ts:12:34)',
  'tokens: 8121 in, 640 out',
  'max_tokens: 4096',
  'input_tokens=8121 output_tokens=640',
  'model claude-sonnet-4-5-20250929 or gpt-4o-2024-08-06',
  'The data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk is cut',
  'eyJhbGciOiJIUzI1NiJ9 is only the header',
  'Content-Type: application/json; charset=utf-8',
  'passport number and passenger list',
  'the compass points north; pass: granted',
  'pass it on to the next agent',
  'a passphrase is longer than a password',
  'pwd: /home/agent/workspace',
  'Ma-at, 84.00 EUR, Bestellung 7781, danke schön!',
  '返金 84 ユーロ、注文番号 7781',
  '{"order_id":"7781","amount":"84.00","currency":"EUR"}',
  '{"lat":52.520008,"lon":13.404954}',
  '3.14159265358979323846264338327950288',
  '0.1234567890123456789',
  '4.5395787636214 is a number',
  'v1.2.3-beta.4+build.5678',
  'color: #3f9a1c; width: 100%; transform: rotate(45deg)',
  'SELECT * FROM orders WHERE token_count > 100',
  'grep -rn "secret" --include=*.ts .',
  'access_key rotation is due on 2026-12-01',
  'Signature=valid, algorithm=ed25519',
  'my sig= is missing',
  'the xoxo at the end of a letter',
  'SG. Schmidt signed it',
  'AKIA is how AWS key ids begin',
]

const HEX = '0123456789abcdef'

/** The same every time: xorshift from a fixed seed. */
function* numbers(): Generator<number> {
  let state = 0x2f6e2b1
  for (;;) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield state >>> 0
  }
}

function generated(): string[] {
  const source = numbers()
  const next = (below: number): number => (source.next().value as number) % below
  const text = (length: number, alphabet: string) =>
    Array.from({ length }, () => alphabet[next(alphabet.length)]).join('')
  return Array.from({ length: 60 }, () => [
    `Order ${text(8, '0123456789')} was shipped on 2026-11-${String(1 + next(28)).padStart(2, '0')}.`,
    `commit ${text(40, HEX)}`,
    `${text(8, HEX)}-${text(4, HEX)}-4${text(3, HEX)}-a${text(3, HEX)}-${text(12, HEX)}`,
    `run_${text(26, '0123456789abcdefghjkmnpqrstvwxyz')} has used ${next(9000)} tokens`,
    `id 9${text(17, '0123456789')}`,
    `GET /v1/items/${text(24, HEX)} 200 ${next(400)} ms`,
  ]).flat()
}

export const ORDINARY_TEXT: readonly string[] = [...WRITTEN, ...generated()]
