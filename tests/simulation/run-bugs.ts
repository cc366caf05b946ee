import { PLANTED_BUGS } from './planted-bugs.ts'
import { simulate } from './simulate.ts'
for (const [name, bug] of Object.entries(PLANTED_BUGS)) {
  const t = performance.now(); let hit = ''
  for (let seed = 1; seed <= 1000; seed++) {
    const { violations } = await simulate({ ...bug, seed })
    if (violations.length) { hit = `${seed}: ${violations[0]}`; break }
  }
  console.log(name, '->', hit || 'NOT CAUGHT', Math.round(performance.now()-t)+'ms')
}
