import { CliError, EXIT } from './cli-error.ts'

/**
 * Where events are forwarded to, from a port or a URL.
 * @throws CliError where it is neither
 */
export function targetUrl(target: string): string {
  if (/^\d{1,5}$/.test(target)) {
    const port = Number(target)
    if (port >= 1 && port <= 65_535) return `http://127.0.0.1:${port}/`
  }
  const url = URL.parse(target)
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href
  const shown = target.slice(0, 80).replaceAll(/\p{C}/gu, '')
  throw new CliError(
    `"${shown}" is neither a port nor a URL: write one such as 3000 or http://localhost:3000/hooks`,
    EXIT.usage,
  )
}
