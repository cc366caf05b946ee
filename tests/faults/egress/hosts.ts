import type { Zone } from './name-server.ts'

/** What the run inside the network found. */
export interface Findings {
  names: Record<string, string>
  literals: Record<string, string>
  changes: Record<string, string>
  /** What a test of an endpoint with this name came to. */
  tests: Record<string, string>
  /** TCP connections by address. */
  accepted: Record<string, number>
  /** Canaries that took a connection when they were dialled by hand, afterwards. */
  listening: string[]
  /** What came of the server's own address. */
  own: string
}

export const PORTS = [80, 443, 8443]

/** Stand-ins for hosts of the public internet. */
export const PUBLIC = ['8.8.4.4', '2606:4700::1111']
/** Private, and on the allow-list. */
export const ALLOWED = ['10.1.0.9']

/** Nobody may ever come here: metadata of the clouds, private, shared, link-local and loopback addresses. */
export const CANARIES = [
  ...['169.254.169.254', '169.254.170.2', '168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254'],
  ...['10.0.0.5', '172.16.0.1', '192.168.1.1', '100.64.0.1', '198.18.0.1', '203.0.113.7', '240.0.0.1'],
  ...['127.0.0.9', '::1', 'fd12:3456::1', '2001:db8::1', '64:ff9b::a9fe:a9fe', '2002:a00:5::1'],
]

const domain = 'receiver.test'
const always = (answer: ReturnType<Zone[string]>) => () => answer

/** Names and what they lead to. */
export const NAMES: Zone = {
  [`public.${domain}`]: always({ a: ['8.8.4.4'] }),
  [`six.${domain}`]: always({ aaaa: ['2606:4700::1111'] }),
  [`alias.${domain}`]: always({ cname: `public.${domain}` }),
  // Public when it is looked at, metadata when it is dialled, if it were asked for a second time.
  [`rebind.${domain}`]: (query) => ({ a: [query % 2 === 0 ? '8.8.4.4' : '169.254.169.254'] }),
  [`flip.${domain}`]: (query) => ({ a: [query % 2 === 0 ? '169.254.169.254' : '8.8.4.4'] }),
  [`mixed.${domain}`]: always({ a: ['8.8.4.4', '10.0.0.5'] }),
  [`mixed-six.${domain}`]: always({ a: ['8.8.4.4'], aaaa: ['fd00:ec2::254'] }),
  [`metadata.${domain}`]: always({ a: ['169.254.169.254'] }),
  [`azure.${domain}`]: always({ a: ['168.63.129.16'] }),
  [`alibaba.${domain}`]: always({ a: ['100.100.100.200'] }),
  [`oracle.${domain}`]: always({ a: ['192.0.0.192'] }),
  [`alias-metadata.${domain}`]: always({ cname: `metadata.${domain}` }),
  [`mapped.${domain}`]: always({ aaaa: ['::ffff:10.0.0.5'] }),
  [`nat64.${domain}`]: always({ aaaa: ['64:ff9b::a9fe:a9fe'] }),
  [`six-to-four.${domain}`]: always({ aaaa: ['2002:a00:5::1'] }),
  [`private.${domain}`]: always({ a: ['192.168.1.1'] }),
  [`loopback.${domain}`]: always({ a: ['127.0.0.9'] }),
  [`documentation.${domain}`]: always({ a: ['203.0.113.7'] }),
  [`in-allowed-cidr.${domain}`]: always({ a: ['10.1.0.9'] }),
  // On the allow-list by its name, and yet.
  [`allowed.${domain}`]: always({ a: ['169.254.169.254'] }),
}

export const LITERALS = [
  ...['169.254.169.254', '0xa9fea9fe', '2852039166', '169.254.43518', '168.63.129.16', '100.100.100.200', '10.0.0.5'],
  ...['[fd00:ec2::254]', '[::ffff:169.254.169.254]', '[64:ff9b::a9fe:a9fe]', '[2002:a00:5::1]', '[::1]', '127.0.0.9'],
  ...['localhost', '192.168.1.1:8443', '１０.0.0.5'],
]
