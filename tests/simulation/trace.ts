import { MemoryStore } from '../../packages/server/src/store/memory/memory-store.ts'
import { simulate } from './simulate.ts'
const seed = Number(process.argv[2]), ids = process.argv.slice(3)
let W: any
const log = (...a: unknown[]) => console.log(Math.round(W?.clock.monotonic() ?? 0), ...a)
class T extends MemoryStore {
  protected override startAttempt(d: any, h: any, n: number) { super.startAttempt(d, h, n); if (ids.includes(d.id)) log('START', h.nodeId, d.attemptCount) }
  protected override release(d: any, at: number, n: number) { if (ids.includes(d.id)) log('RELEASE', d.holder?.nodeId, d.attemptCount, 'due', at); super.release(d, at, n) }
  protected override recordOne(nodeId: string, r: any, n: number) { const x = super.recordOne(nodeId, r, n); const d: any = this.deliveries.get(r.position); if (ids.includes(d?.id)) log('RECORD', nodeId, r.number, r.outcome, x); return x }
  protected override endUnknown(d: any, l: any, n: number) { super.endUnknown(d, l, n); if (ids.includes(d.id)) log('UNKNOWN by rescue', l.nodeId, d.attemptCount) }
}
const r = await simulate({ seed, Store: T as never, wrap: (s, n) => { W = n; return new Proxy(s, { get(t, v) { const f = Reflect.get(t, v) as any; return typeof f !== 'function' ? f : async (i: any) => { const name = String(v); if (name==='findClaims'||name==='releaseClaims'||name==='joinNode'||name==='leaveNode') log(n.id, name, JSON.stringify(i).slice(0,200)); try { const o = await f.call(t, i); if (name==='findClaims') log(n.id,'->', JSON.stringify(o)); return o } catch(e) { log(n.id, name,'ERR', e); throw e } } } }) } })
console.log(r.violations)
