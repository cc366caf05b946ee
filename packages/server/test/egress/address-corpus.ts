/*
 * Hosts of URLs with what may become of them, from the IANA special-purpose registries, the clouds' documentation of their
 * metadata services, and the ways to spell an address that browsers and resolvers understand.
 */

/** `public`: reached; `special`: only with the allow-list; `never`: not even then; `no_url`: cannot be parsed. */
export type Verdict = 'public' | 'special' | 'never' | 'no_url'

interface Group {
  verdict: Verdict
  reason: string
  hosts: string
}

/** Hosts are separated by blanks. */
const GROUPS: readonly Group[] = [
  {
    verdict: 'public',
    reason: 'ordinary public addresses',
    hosts: '1.1.1.1 8.8.8.8 9.9.9.9 93.184.216.34 151.101.1.69 223.255.255.254 185.199.108.153 20.50.2.1 3.5.140.2',
  },
  {
    verdict: 'public',
    reason: 'the neighbours of special ranges',
    hosts:
      '1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17 ' +
      '169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 ' +
      '198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 192.88.98.255 192.88.100.0 192.31.195.255 192.31.197.0',
  },
  {
    verdict: 'public',
    reason: 'public IPv6',
    hosts:
      '[2606:4700:4700::1111] [2001:4860:4860::8888] [2a00:1450:4001:82a::200e] [2620:fe::fe] [2000::1] [2001:200::1] ' +
      '[2400:cb00::1] [2c0f:ffff::1] [3ffe::1] [2620:4f:7fff::1] [2620:4f:8001::1] [2001:db7::1] [2001:db9::1]',
  },
  {
    verdict: 'public',
    reason: 'a public address, mapped or through NAT64',
    hosts: '[::ffff:8.8.8.8] [::ffff:808:808] [64:ff9b::8.8.8.8] [64:ff9b::808:808] [0:0:0:0:0:ffff:1.1.1.1]',
  },
  {
    verdict: 'public',
    reason: 'a public address in another spelling',
    hosts: '134744072 0x08080808 010.010.010.010 8.8.2056 8.526344 0x8.0x8.0x8.0x8 8.8.8.8. ８.８.８.８',
  },
  {
    verdict: 'special',
    reason: 'loopback',
    hosts: '127.0.0.1 127.0.0.2 127.1.2.3 127.255.255.254 127.255.255.255 [::1] [0:0:0:0:0:0:0:1] [::0001]',
  },
  {
    verdict: 'special',
    reason: 'loopback in another spelling',
    hosts:
      '127.1 127.0.1 2130706433 0x7f000001 0x7F000001 017700000001 0177.0.0.1 0x7f.0.0.1 0x7f.1 127.0.0.0x1 0177.1 ' +
      '127.0.0.1. １２７.０.０.１ 127。0。0。1 127．0．0．1 ①②⑦.0.0.1 0x7f.0x0.0x0.0x1 127.000.000.001 %31%32%37.0.0.1',
  },
  {
    verdict: 'special',
    reason: 'loopback and private addresses inside IPv6',
    hosts:
      '[::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:10.0.0.1] [::ffff:c0a8:1] [::ffff:172.16.0.1] [64:ff9b::127.0.0.1] ' +
      '[64:ff9b::a00:1] [64:ff9b::192.168.0.1] [0:0:0:0:0:ffff:7f00:0001]',
  },
  {
    verdict: 'special',
    reason: 'private use (RFC 1918)',
    hosts:
      '10.0.0.0 10.0.0.1 10.255.255.255 172.16.0.0 172.16.0.1 172.20.10.2 172.31.255.255 192.168.0.0 192.168.0.1 ' +
      '192.168.1.254 192.168.255.255 167772161 0xa000001 0xc0a80001 3232235521 192.168.257 10.1 0300.0250.0.1',
  },
  {
    verdict: 'special',
    reason: 'shared address space (RFC 6598)',
    hosts: '100.64.0.0 100.64.0.1 100.100.100.199 100.100.100.201 100.127.255.255 1681915905',
  },
  {
    verdict: 'special',
    reason: 'IETF protocol assignments',
    hosts: '192.0.0.0 192.0.0.1 192.0.0.8 192.0.0.9 192.0.0.10 192.0.0.170 192.0.0.171 192.0.0.191 192.0.0.255',
  },
  {
    verdict: 'special',
    reason: 'documentation',
    hosts:
      '192.0.2.0 192.0.2.1 192.0.2.255 198.51.100.0 198.51.100.1 198.51.100.255 203.0.113.0 203.0.113.1 203.0.113.255 ' +
      '[2001:db8::] [2001:db8::1] [2001:db8:ffff:ffff:ffff:ffff:ffff:ffff] [3fff::1] [3fff:fff:ffff::1]',
  },
  {
    verdict: 'special',
    reason: 'benchmarking, AS112, AMT, 6to4 relay',
    hosts:
      '198.18.0.0 198.18.0.1 198.19.255.255 192.31.196.0 192.31.196.255 192.52.193.0 192.52.193.255 192.88.99.0 192.88.99.1 ' +
      '192.88.99.255 192.175.48.0 192.175.48.255 [2620:4f:8000::] [2620:4f:8000:ffff::1] [2001:2::1] [2001:4:112::1] [2001:3::1]',
  },
  {
    verdict: 'special',
    reason: 'unique local and site-local IPv6',
    hosts: '[fc00::] [fc00::1] [fcff::1] [fd00::1] [fd12:3456:789a:1::1] [fdff:ffff::1] [fec0::1] [feff::1]',
  },
  {
    verdict: 'special',
    reason: 'outside 2000::/3',
    hosts:
      '[100::1] [100:0:0:1::1] [1::1] [200::1] [400::1] [1000::1] [1fff:ffff::1] [4000::1] [5f00::1] [6000::1] [8000::1] ' +
      '[a000::1] [c000::1] [e000::1] [f000::1] [f800::1] [fe00::1]',
  },
  {
    verdict: 'special',
    reason: 'protocols and identifiers in 2001::/23',
    hosts: '[2001:1::1] [2001:1::2] [2001:5::1] [2001:10::1] [2001:20::1] [2001:30::1] [2001:1ff:ffff::1]',
  },
  {
    verdict: 'special',
    reason: 'a public IPv4 address inside a transition form',
    hosts:
      '[2002:808:808::1] [2002:101:101::] [2001:0:808:808::f7f7:f7f7] [::8.8.8.8] [::808:808] [::ffff:0:808:808] ' +
      '[64:ff9b:1::808:808] [64:ff9b:1:808:8:800::] [2606:4700::5efe:808:808] [2606:4700::200:5efe:808:808]',
  },
  {
    verdict: 'special',
    reason: 'a private IPv4 address inside a transition form',
    hosts:
      '[2002:7f00:1::] [2002:a00:1::1] [2002:c0a8:101::1] [2001:0:808:808::80ff:fffe] [::127.0.0.1] [::10.0.0.1] ' +
      '[::ffff:0:7f00:1] [64:ff9b:1::a00:1] [2606:4700::5efe:a00:1] [2606:4700::5efe:7f00:1] [2001:0:a00:1::f7f7:f7f7]',
  },
  {
    verdict: 'never',
    reason: 'link-local, where clouds have their metadata',
    hosts:
      '169.254.0.0 169.254.0.1 169.254.169.254 169.254.169.253 169.254.170.2 169.254.170.23 169.254.169.123 169.254.169.249 ' +
      '169.254.255.255 169.254.10.10 [fe80::1] [fe80::] [fe80::a9fe:a9fe] [febf::1] [febf:ffff::1]',
  },
  {
    verdict: 'never',
    reason: 'metadata in another spelling',
    hosts:
      '2852039166 0xa9fea9fe 0xA9FEA9FE 025177524776 0251.0376.0251.0376 0xa9.0xfe.0xa9.0xfe 169.254.43518 169.16689662 ' +
      '169.254.169.254. １６９.２５４.１６９.２５４ 169。254。169。254 0xa9.254.0251.254 169.254.0xa9fe 169.254.169.00376',
  },
  {
    verdict: 'never',
    reason: 'metadata of clouds outside link-local',
    hosts:
      '168.63.129.16 2822734096 100.100.100.200 0x646464c8 192.0.0.192 [fd00:ec2::254] [fd00:ec2::23] [fd20:ce::254] [fd00:42::42]',
  },
  {
    verdict: 'never',
    reason: 'metadata inside IPv6',
    hosts:
      '[::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [64:ff9b::169.254.169.254] [64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::] ' +
      '[2002:a9fe:a9fe::1] [::169.254.169.254] [::ffff:0:a9fe:a9fe] [64:ff9b:1::a9fe:a9fe] [64:ff9b:1:a9fe:a9:fe00::] ' +
      '[2001:0:a9fe:a9fe::f7f7:f7f7] [2001:0:808:808::5601:5601] [2606:4700::5efe:a9fe:a9fe] [2606:4700::200:5efe:a9fe:a9fe] ' +
      '[::ffff:168.63.129.16] [::ffff:6464:64c8] [2002:a83f:8110::1] [64:ff9b::100.100.100.200] [::ffff:192.0.0.192]',
  },
  {
    verdict: 'never',
    reason: 'this network, which Linux takes for loopback',
    hosts:
      '0.0.0.0 0.0.0.1 0.1.2.3 0.255.255.255 0 0x0 00 0.0 [::] [0:0:0:0:0:0:0:0] [::ffff:0.0.0.0] [64:ff9b::0.0.0.0]',
  },
  {
    verdict: 'never',
    reason: 'multicast, reserved and broadcast',
    hosts:
      '224.0.0.0 224.0.0.1 224.0.0.251 232.1.1.1 239.255.255.250 239.255.255.255 240.0.0.0 240.0.0.1 250.1.2.3 255.255.255.254 ' +
      '255.255.255.255 4294967295 0xffffffff [ff00::] [ff02::1] [ff02::fb] [ff05::2] [ff0e::1] [ffff::1] [::ffff:224.0.0.1] ' +
      '[::ffff:255.255.255.255] [2002:e000:1::1]',
  },
  {
    verdict: 'no_url',
    reason: 'no address and no name',
    hosts:
      '256.1.1.1 1.1.1.256 1.2.3.4.5 4294967296 0x100000000 127.0.0.1.1 [127.0.0.1] [::1%25eth0] [fe80::1%25lo] [::1%eth0] [1::2::3] [::g] ' +
      '[::1 ::1 08.0.0.1.0 0x7g.0.0.1 127.0.0.0x100',
  },
]

export const ADDRESS_CORPUS: readonly [host: string, verdict: Verdict, reason: string][] = GROUPS.flatMap(
  ({ verdict, reason, hosts }) => hosts.split(' ').map((host): [string, Verdict, string] => [host, verdict, reason]),
)
