import type { BulkReplayView, ReplayPreview, ReplaySkips } from '@runbell/sdk/contract'

/** Endpoints and types that a preview names. */
const MOST_NAMED = 10

const number = (count: number) => count.toLocaleString('en')

const WHY: Record<keyof ReplaySkips, string> = {
  endpoint_deleted: 'their endpoint was deleted',
  payload_gone: 'their payload is gone',
  policy_changed: 'their endpoint may no longer receive what they hold',
  already_there: 'the endpoint has them already',
  changed: 'they changed before their turn',
}

export function previewLines(preview: ReplayPreview): string[] {
  const { replayable, skipped, by_endpoint: endpoints, by_type: types } = preview
  return [
    `${number(replayable)} would be replayed`,
    ...skipLines(skipped),
    ...named(
      'to',
      endpoints.map(({ endpoint_id: id, count }) => [id, count]),
    ),
    ...named(
      'of',
      types.map(({ type, count }) => [type, count]),
    ),
  ]
}

function named(word: string, counts: [string, number][]): string[] {
  const lines = counts.slice(0, MOST_NAMED).map(([name, count]) => `  ${word} ${name}: ${number(count)}`)
  return counts.length > MOST_NAMED ? [...lines, `  and ${number(counts.length - MOST_NAMED)} others`] : lines
}

export function skipLines(skipped: ReplaySkips): string[] {
  const reasons = Object.entries(skipped) as [keyof ReplaySkips, number][]
  return reasons.filter(([, count]) => count > 0).map(([why, count]) => `  ${number(count)} skipped: ${WHY[why]}`)
}

export function progressLine({ matched, replayed, skipped, outcomes }: BulkReplayView): string {
  const looked = replayed + Object.values(skipped).reduce((sum, count) => sum + count, 0)
  return `${number(looked)} of ${number(matched)}, ${number(outcomes.delivered)} delivered`
}

export function summaryLine({ status, matched, replayed, outcomes }: BulkReplayView): string {
  const ends = Object.entries(outcomes).filter(([, count]) => count > 0)
  const how = ends.map(([end, count]) => `${number(count)} ${end.replace('_', '-')}`).join(', ')
  const soFar = how === '' ? '' : `: ${how}`
  return `${status}, ${number(replayed)} of ${number(matched)} replayed${soFar}`
}
