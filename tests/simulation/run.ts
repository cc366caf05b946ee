import { simulate } from './simulate.ts'
const from = Number(process.argv[2] ?? 1), to = Number(process.argv[3] ?? 50)
const t = performance.now()
let req=0,q=0,k=0,ev=0,st=0
for (let seed = from; seed <= to; seed++) {
  const r = await simulate({ seed })
  req+=r.requests;q+=r.quarantined;k+=r.kills;ev+=r.events;st+=r.steps
  if (r.violations.length) console.log(seed, r.violations.slice(0, 4), r.violations.length)
}
console.log({ms: performance.now()-t, req,q,k,ev,st})
