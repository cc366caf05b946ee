import { createSocket, type Socket } from 'node:dgram'

/** What a name is answered with at its nth query, from 0: addresses, or another name. */
export type Zone = Record<string, (query: number) => { a?: string[]; aaaa?: string[]; cname?: string }>

const [TYPE_A, TYPE_CNAME, TYPE_AAAA] = [1, 5, 28]
/** So short that nobody may keep it. */
const TTL_SECONDS = 0

/** A name server of our own (RFC 1035): it may answer the same question differently each time. */
export async function startNameServer(zone: Zone, host: string): Promise<Socket> {
  const queries = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query)
    const count = queries.get(`${name} ${type}`) ?? 0
    queries.set(`${name} ${type}`, count + 1)
    socket.send(reply(query, end, answersFor(zone, name, type, count)), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(53, host, resolve))
  return socket
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

interface Record_ {
  name: Buffer
  type: number
  data: Buffer
}

function answersFor(zone: Zone, name: string, type: number, count: number): Record_[] | null {
  const entry = zone[name]?.(count)
  if (entry === undefined) return null
  const { a = [], aaaa = [], cname } = entry
  if (cname !== undefined) {
    const alias = { name: nameBytes(name), type: TYPE_CNAME, data: nameBytes(cname) }
    return [alias, ...(answersFor(zone, cname, type, count) ?? [])]
  }
  const addresses = type === TYPE_A ? a.map(bytesOfV4) : type === TYPE_AAAA ? aaaa.map(bytesOfV6) : []
  return addresses.map((data) => ({ name: nameBytes(name), type, data }))
}

/** @param answers `null`: there is no such name */
function reply(query: Buffer, questionEnd: number, answers: Record_[] | null): Buffer {
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(answers === null ? 0x8583 : 0x8580, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(answers?.length ?? 0, 6)
  const records = (answers ?? []).map(({ name, type, data }) => {
    const fields = Buffer.alloc(10)
    fields.writeUInt16BE(type, 0)
    fields.writeUInt16BE(1, 2)
    fields.writeUInt32BE(TTL_SECONDS, 4)
    fields.writeUInt16BE(data.length, 8)
    return Buffer.concat([name, fields, data])
  })
  return Buffer.concat([header, query.subarray(12, questionEnd), ...records])
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.from([0])])
}

function bytesOfV4(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

/** Of a full or shortened address, the last part of which may be IPv4. */
function bytesOfV6(address: string): Buffer {
  const mapped = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  if (mapped !== null) {
    const [, head = '', a, b, c, d] = mapped
    const hex = (high: unknown, low: unknown) => ((Number(high) << 8) | Number(low)).toString(16)
    return bytesOfV6(`${head}${hex(a, b)}:${hex(c, d)}`)
  }
  const [left = '', right] = address.split('::')
  const parts = (text: string) => (text === '' ? [] : text.split(':'))
  const tail = right === undefined ? [] : parts(right)
  const zeros = Array.from({ length: 8 - parts(left).length - tail.length }, () => '0')
  const words = [...parts(left), ...(right === undefined ? [] : zeros), ...tail]
  return Buffer.concat(words.map((word) => Buffer.from(word.padStart(4, '0'), 'hex')))
}
