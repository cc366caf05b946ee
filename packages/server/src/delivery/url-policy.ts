import type { EgressPolicy } from './egress-policy.ts'

/** Which URLs may become endpoints: canonical, and not refused by the door that deliveries leave through. */
export function createUrlPolicy(egress: EgressPolicy) {
  return {
    check(text: string): { ok: true; url: string } | { ok: false; reason: string; fix: string } {
      const url = URL.parse(text)
      if (url === null)
        return { ok: false, reason: 'is not a URL', fix: 'Give an absolute URL such as https://example.com/hooks.' }
      url.hash = ''
      const refusal = egress.checkUrl(url)
      return refusal === null ? { ok: true, url: url.href } : { ok: false, ...EXPLANATIONS[refusal.rule] }
    },
  }
}

/** What the creator of an endpoint is told: the rule, never what stands behind an address. */
const EXPLANATIONS = {
  scheme: { reason: 'is neither http nor https', fix: 'Use https.' },
  userinfo: { reason: 'has a user name or password in it', fix: 'Send credentials in a custom header instead.' },
  port: { reason: 'has port 0', fix: 'Use the port the receiver listens on.' },
  http: {
    reason: 'is not https',
    fix: 'Use https, or let the operator allow-list the host with RUNBELL_EGRESS_ALLOW.',
  },
  address: {
    reason: 'leads to an address that deliveries may not reach',
    fix: 'Use a public address, or let the operator allow-list it with RUNBELL_EGRESS_ALLOW.',
  },
  own_listener: { reason: 'leads back to Runbell itself', fix: "Use the receiver's own address." },
} as const
