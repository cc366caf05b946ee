import type { NewEvent } from '../support/client.ts'

/** What the server must answer: the code, and the place where there is one. */
export interface Expected {
  status: number
  code: string
  /** A JSON Pointer; left out where the fault has no place. */
  path?: string
}

const at = (path: string): Expected => ({ status: 422, code: 'invalid_request', path })
const malformed: Expected = { status: 400, code: 'malformed_json' }

/** One field of a published event that is wrong; `undefined` leaves it out. */
export const BAD_FIELDS: [change: Record<string, unknown>, expected: Expected][] = [
  [{ type: undefined }, at('/type')],
  [{ type: 7 }, at('/type')],
  [{ type: null }, at('/type')],
  [{ type: 'one' }, at('/type')],
  [{ type: 'Acme.Invoice.Drafted' }, at('/type')],
  [{ type: 'acme.a.b.c.d.e' }, at('/type')],
  [{ type: `acme.${'a'.repeat(100)}` }, at('/type')],
  [{ type: 'agent.run.begun' }, { status: 422, code: 'unknown_event_type', path: '/type' }],
  [{ type: 'runbell.ping.sent' }, { status: 422, code: 'unknown_event_type', path: '/type' }],
  [{ type: 'agent.run.started', run_id: undefined, data: { status: 'running' } }, at('/run_id')],
  [{ type: 'agent.task.created', task_id: undefined, data: { status: 'queued' } }, at('/task_id')],
  [{ data: undefined }, at('/data')],
  [{ data: null }, at('/data')],
  [{ data: [] }, at('/data')],
  [{ data: 'text' }, at('/data')],
  [{ agent: undefined }, at('/agent')],
  [{ agent: 'me' }, at('/agent')],
  [{ agent: {} }, at('/agent/id')],
  [{ agent: { id: 7 } }, at('/agent/id')],
  [{ event_id: 'no' }, at('/event_id')],
  [{ event_id: 'evt_with.a.dot.in.it' }, at('/event_id')],
  [{ event_id: `evt_${'x'.repeat(65)}` }, at('/event_id')],
  [{ event_id: 'evt_test_0123456789' }, at('/event_id')],
  [{ event_id: 12345678 }, at('/event_id')],
  [{ run_id: '' }, at('/run_id')],
  [{ run_id: '.starts-with-a-dot' }, at('/run_id')],
  [{ run_id: 'with space' }, at('/run_id')],
  [{ run_id: 'x'.repeat(129) }, at('/run_id')],
  [{ task_id: 5 }, at('/task_id')],
  [{ tenant_id: '' }, at('/tenant_id')],
  [{ tenant_id: '*' }, at('/tenant_id')],
  [{ tenant_id: 'a\u0000b' }, at('/tenant_id')],
  [{ timestamp: 'yesterday' }, at('/timestamp')],
  [{ timestamp: 1_700_000_000 }, at('/timestamp')],
  [{ timestamp: '2026-02-30T00:00:00Z' }, at('/timestamp')],
  [{ expires_at: '2026-01-01' }, at('/expires_at')],
  [{ schema_version: 0 }, at('/schema_version')],
  [{ schema_version: '1' }, at('/schema_version')],
  [{ schema_version: 1.5 }, at('/schema_version')],
  [{ mode: 'test' }, at('/mode')],
  [{ mode: 'loud' }, at('/mode')],
  [{ trace_id: 'xyz' }, at('/trace_id')],
  [{ causation_id: 'because' }, at('/causation_id')],
  [{ metadata: [] }, at('/metadata')],
  [{ metadata: { a: 1 } }, at('/metadata/a')],
  [{ metadata: { a: 'x'.repeat(257) } }, at('/metadata/a')],
  [{ metadata: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`k${n}`, 'v'])) }, at('/metadata')],
  [{ sequence: 1 }, at('/sequence')],
  [{ recorded_at: '2026-01-01T00:00:00Z' }, at('/recorded_at')],
  [{ withheld: [] }, at('/withheld')],
  [{ colour: 'red' }, at('/colour')],
  [{ 'a/b~c': 1 }, at('/a~1b~0c')],
]

const latin1 = (text: string) => Buffer.from(text, 'latin1')

/** Bodies that are no JSON, or more of it than is read. */
export const BAD_BODIES: [name: string, body: (event: NewEvent) => string | Uint8Array, expected: Expected][] = [
  ['nothing', () => '', malformed],
  ['white space', () => ' \n', malformed],
  ['half an object', (event) => JSON.stringify(event).slice(0, -1), malformed],
  ['two values', (event) => `${JSON.stringify(event)}{}`, malformed],
  ['a comma too many', (event) => `${JSON.stringify(event).slice(0, -1)},}`, malformed],
  ['single quotes', () => "{'type':'acme.a'}", malformed],
  ['NaN', (event) => JSON.stringify({ ...event, data: { n: 0 } }).replace('"n":0', '"n":NaN'), malformed],
  ['a leading zero', (event) => JSON.stringify({ ...event, data: { n: 5 } }).replace('"n":5', '"n":05'), malformed],
  ['a comment', (event) => `/* hello */${JSON.stringify(event)}`, malformed],
  ['a byte order mark', (event) => `\ufeff${JSON.stringify(event)}`, malformed],
  ['a raw line break in a string', () => '{"type":"acme\n.a"}', malformed],
  ['bytes that are no UTF-8', () => latin1('{"type":"acme.caf\xe9"}'), malformed],
  ['an overlong encoding', () => latin1('{"type":"acme.\xc0\xaf"}'), malformed],
  ['half a surrogate pair', () => '{"type":"acme.\\ud800"}', malformed],
  ['UTF-16', (event) => Buffer.from(JSON.stringify(event), 'utf16le'), malformed],
  ['a million brackets', () => '['.repeat(200_000), { status: 400, code: 'too_deep' }],
  [
    'a depth of 33',
    (event) => JSON.stringify(event).replace('{"n":1}', `{"n":${'['.repeat(31)}${']'.repeat(31)}}`),
    { status: 400, code: 'too_deep' },
  ],
  [
    'a key twice',
    (event) => JSON.stringify(event).replace('{"n":1}', '{"n":1,"n":1}'),
    { status: 400, code: 'duplicate_key', path: '/data/n' },
  ],
  [
    'a key twice, once escaped',
    (event) => JSON.stringify(event).replace('{"n":1}', '{"n":1,"\\u006e":1}'),
    { status: 400, code: 'duplicate_key', path: '/data/n' },
  ],
  ['an array', () => '[]', { status: 422, code: 'invalid_request' }],
  ['a number', () => '7', { status: 422, code: 'invalid_request' }],
  ['null', () => 'null', { status: 422, code: 'invalid_request' }],
]

/** Ids as somebody might put them into a path; none of them is of anything. */
export const ODD_IDS = [
  ...['nothing', 'evt_00000000', '__proto__', 'constructor', '0', '-1', 'NaN', 'null', 'undefined', '*', '~', '%25'],
  ...['%00', '%0a', '%0d%0aset-cookie:a=b', '%20', '%2f', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', '..%5c..', '%c0%af', '%ff'],
  ...[
    '%',
    '%zz',
    '%E0%A4%A',
    "'%20OR%201=1--",
    '%22;DROP%20TABLE%20events;--',
    '%F0%9F%92%A9',
    '%e2%80%ae',
    '{event_id}',
  ],
  ...['x'.repeat(101), 'x'.repeat(8000), '%3Cscript%3E', ';', '@', 'a,b', '%26%23x41;', '$%7Bjndi:ldap://a/b%7D'],
]

/** Where an id stands in a path. */
export const ID_ROUTES: [method: string, path: (id: string) => string][] = [
  ['GET', (id) => `/v1/events/${id}`],
  ['GET', (id) => `/v1/events/${id}/body`],
  ['GET', (id) => `/v1/events/${id}/deliveries`],
  ['POST', (id) => `/v1/events/${id}/replay`],
  ['GET', (id) => `/v1/deliveries/${id}`],
  ['GET', (id) => `/v1/deliveries/${id}/attempts`],
  ['POST', (id) => `/v1/deliveries/${id}/replay`],
  ['POST', (id) => `/v1/deliveries/${id}/cancel`],
  ['GET', (id) => `/v1/endpoints/${id}`],
  ['PATCH', (id) => `/v1/endpoints/${id}`],
  ['DELETE', (id) => `/v1/endpoints/${id}`],
  ['POST', (id) => `/v1/endpoints/${id}/pause`],
  ['GET', (id) => `/v1/endpoints/${id}/secrets`],
  ['DELETE', (id) => `/v1/endpoints/${id}/secrets/${id}`],
  ['DELETE', (id) => `/v1/api-keys/${id}`],
  ['POST', (id) => `/v1/dead-letters/${id}/discard`],
]

const url = (text: unknown, code = 'url_not_allowed'): [Record<string, unknown>, Expected] => [
  { url: text },
  { status: 422, code, path: '/url' },
]
const header = (name: string, value = 'x'): [Record<string, unknown>, Expected] => [
  { headers: { [name]: value } },
  { status: 422, code: 'header_not_allowed', path: `/headers/${name}` },
]

/** Endpoints that cannot be. */
export const BAD_ENDPOINTS: [change: Record<string, unknown>, expected: Expected][] = [
  url(undefined, 'invalid_request'),
  url(7, 'invalid_request'),
  url('not a url'),
  url('/relative'),
  url('ftp://example.com/'),
  url('javascript:alert(1)'),
  url('file:///etc/passwd'),
  url('https://user:secret@example.com/'),
  url('https://example.com:0/'),
  url('http://169.254.169.254/latest/meta-data/'),
  url('https://[fd00:ec2::254]/'),
  url('https://10.0.0.1/'),
  url('https://[::1]/'),
  url('http://0x0a000001/'),
  url('https://[::ffff:10.0.0.1]/'),
  header('host'),
  header('content-length'),
  header('transfer-encoding'),
  header('cookie'),
  header('webhook-id'),
  header('Runbell-Attempt'),
  header('x-split', 'a\r\nb: c'),
  header('x-empty', ''),
  [{ event_types: 'agent.*' }, at('/event_types')],
  [{ event_types: ['Agent.*'] }, at('/event_types/0')],
  [{ retry_schedule: '5s' }, at('/retry_schedule')],
  [{ retry_schedule: [-1] }, at('/retry_schedule')],
  [{ retry_schedule: [1.5] }, at('/retry_schedule')],
  [{ retry_schedule: Array.from({ length: 30 }, () => 1) }, at('/retry_schedule')],
  [{ retry_schedule: [31 * 86_400_000] }, at('/retry_schedule')],
  [{ max_in_flight: 0 }, at('/max_in_flight')],
  [{ rate_limit: 'fast' }, at('/rate_limit')],
  [{ signing: 'md5' }, at('/signing')],
  [{ kind: 'smtp' }, at('/kind')],
  [{ tenant_id: 5 }, at('/tenant_id')],
  [{ colour: 'red' }, at('/colour')],
]

/** Queries that mean nothing. */
export const BAD_QUERIES: [query: string, name: string][] = [
  ...['0', '-1', '201', 'many', '1e2', '1.5', ''].map((limit): [string, string] => [`limit=${limit}`, 'limit']),
  ['since=yesterday', 'since'],
  ['until=2026-13-01T00:00:00Z', 'until'],
  ['run_id=%20', 'run_id'],
  ['type=Agent.*', 'type'],
  ['tenant_id=%00', 'tenant_id'],
  ['colour=red', 'colour'],
  ['__proto__=1', '__proto__'],
  ['limit=1&limit=2', 'limit'],
]
