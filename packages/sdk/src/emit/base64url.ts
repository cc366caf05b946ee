/** Base64 of the URL alphabet without padding (RFC 4648, section 5). For digests: short inputs. */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
