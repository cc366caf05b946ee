import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import type { Received } from './receiver.ts'

/** Signatures by code that is not ours: a suite that signs and verifies with the same module proves nothing. */

/** What a signature is over, by Standard Webhooks: id, timestamp and body, joined by dots. */
export function signedBytes({ headers, body }: Received): Buffer {
  const prefix = `${headers['webhook-id'] as string}.${headers['webhook-timestamp'] as string}.`
  return Buffer.concat([Buffer.from(prefix), body])
}

/** The key in a `whsec_` secret. */
export function keyBytes(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
}

export function signWithNode(secret: string, request: Received): string {
  return `v1,${createHmac('sha256', keyBytes(secret)).update(signedBytes(request)).digest('base64')}`
}

const PYTHON = `
import base64, hashlib, hmac, json, sys
given = json.load(sys.stdin)
key = base64.b64decode(given['key'])
for message in given['messages']:
    digest = hmac.new(key, base64.b64decode(message), hashlib.sha256).digest()
    print('v1,' + base64.b64encode(digest).decode())
`

/** @throws Error with what Python said */
export function signWithPython(secret: string, requests: readonly Received[]): string[] {
  const messages = requests.map((request) => signedBytes(request).toString('base64'))
  const input = JSON.stringify({ key: keyBytes(secret).toString('base64'), messages })
  const { status, stdout, stderr } = spawnSync('python3', ['-c', PYTHON], { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`python3: ${stderr}`)
  return stdout.trim().split('\n')
}

/** @throws Error with what openssl said */
export function signWithOpenssl(secret: string, request: Received): string {
  const key = `hexkey:${keyBytes(secret).toString('hex')}`
  const args = ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', key, '-binary']
  const { status, stdout, stderr } = spawnSync('openssl', args, { input: signedBytes(request) })
  if (status !== 0) throw new Error(`openssl: ${stderr.toString()}`)
  return `v1,${stdout.toString('base64')}`
}

/** The signatures in a request's header. */
export function signaturesOf({ headers }: Received): string[] {
  return String(headers['webhook-signature']).split(' ')
}

/** The three headers, as libraries that verify take them. */
export function signatureHeaders({ headers }: Received): Record<string, string> {
  return {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  }
}
