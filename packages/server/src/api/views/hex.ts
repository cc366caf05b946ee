/** Lower-case hex, as hashes are shown. */
export function hexView(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
