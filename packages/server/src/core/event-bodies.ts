import { convertIndexed } from './conversion/convert-data.ts'
import { joined, planCuts, type CutPlan } from './cut-plan.ts'
import { ALWAYS_GRANTED, DELIVERABLE, classBit, classNames, type ClassMask } from './data-classes.ts'
import type { TypeContract } from './catalog/type-contract.ts'
import { EventView } from './filter/event-view.ts'
import { scanJson } from './json-scan.ts'
import type { DataShape } from './schema/data-shape.ts'
import { classesIn } from './schema/shape-classes.ts'
import type { JsonIndex } from './json-index.ts'
import { prepareCloudEvent } from './render-cloud-event.ts'
import { cutEnvelope, type EnvelopeCut, type EnvelopeFields, type PreparedEnvelope } from './render.ts'
import { prepareThin } from './render-thin.ts'

/** The formats that bodies are rendered in. */
export type BodyFormat = 'runbell' | 'thin' | 'cloudevents'

/** What an endpoint wants of an event. */
export interface BodyWant {
  format: BodyFormat
  /** Besides these, public and summary always travel. */
  grants: ClassMask
  /** The version of the type it is pinned to. */
  pin: number
}

/** A body as far as it can be rendered without the transaction. */
export interface RenderedBody {
  envelope: PreparedEnvelope
  /** What comes after the envelope. */
  rest: Uint8Array
  classes: ClassMask
}

/** Renders the bodies of one event. */
export interface BodySource {
  /** `null`: the uncut body is what it gets. Equal wants, and wants that make no difference, get the same object. */
  bodyFor(want: BodyWant): RenderedBody | null
  /** The event as filters see it. */
  view(): EventView
  /** Lets go of what can be made again from the event's own bytes; to be called when rendering pauses. */
  release(): void
}

const PUBLIC = classBit('public')
const OPERATIONAL = classBit('operational')
const BRACE = new Uint8Array([0x7d])
const NOTHING = new Uint8Array(0)

/** The part of an event that rendering needs. */
export interface RenderedEvent {
  source: Uint8Array
  dataStart: number
  dataEnd: number
  /** Of the uncut body. */
  classes: ClassMask
  envelope: PreparedEnvelope
}

export class EventBodies implements BodySource {
  readonly #event: RenderedEvent
  readonly #fields: EnvelopeFields
  readonly #contract: TypeContract
  readonly #publicUrl: string
  readonly #made = new Map<string, RenderedBody>()
  #plan: CutPlan | null

  /** @param plan as it was made when the event was checked, so that its bytes need not be read again */
  constructor(
    event: RenderedEvent,
    fields: EnvelopeFields,
    contract: TypeContract,
    publicUrl: string,
    plan: CutPlan | null,
  ) {
    this.#event = event
    this.#fields = fields
    this.#contract = contract
    this.#publicUrl = publicUrl
    this.#plan = plan
  }

  bodyFor(want: BodyWant): RenderedBody | null {
    const version = this.#reachable(want.pin)
    const granted = (want.grants | ALWAYS_GRANTED) & this.#occurring(version)
    if (this.#isUncut(want.format, version, granted)) return null
    const key = want.format === 'thin' ? `thin ${version}` : `${want.format} ${version} ${granted}`
    let body = this.#made.get(key)
    if (body === undefined) this.#made.set(key, (body = this.#render(want.format, version, granted)))
    return body
  }

  view(): EventView {
    const { json, data } = this.#planned()
    return new EventView(this.#fields, json, data, this.#shape())
  }

  release(): void {
    this.#plan = null
  }

  #isUncut(format: BodyFormat, version: number, granted: ClassMask): boolean {
    if (format !== 'runbell' || version !== this.#fields.schemaVersion) return false
    return granted === this.#event.classes && !this.#planned().hasUnknown
  }

  /** In an older version a value may have a class that nothing has in the version it was published in. */
  #occurring(version: number): ClassMask {
    let { classes } = this.#event
    for (let older = this.#fields.schemaVersion - 1; older >= version; older--) {
      const shape = this.#contract.version(older)?.shape
      if (shape !== undefined) classes |= classesIn(shape)
    }
    return classes & DELIVERABLE
  }

  /** An endpoint newer than the event gets it as it was published (details 16). */
  #reachable(pin: number): number {
    let version = this.#fields.schemaVersion
    while (version > pin && this.#contract.version(version)?.down != null) version--
    return version
  }

  #render(format: BodyFormat, version: number, granted: ClassMask): RenderedBody {
    if (format === 'thin') return this.#renderThin(version)
    const { rest, withheld, classes } = this.#cutAndConvert(version, granted)
    const ofAgent = agentClasses(this.#fields)
    const wholeAgent = (ofAgent & ~granted) === 0
    const cut: EnvelopeCut = {
      schemaVersion: version,
      withheld: classNames(withheld | (ofAgent & ~granted)),
      wholeAgent,
    }
    const envelope =
      format === 'runbell'
        ? cutEnvelope(this.#event.envelope, this.#fields, cut)
        : prepareCloudEvent(this.#fields, cut, this.#publicUrl)
    return { envelope, rest, classes: classes | (ofAgent & granted) | PUBLIC }
  }

  /**
   * What the grants do not cover goes first, by the classes of the version the event was published in; what each older
   * version would not let through goes after every step back. So a value travels only where both classes are granted,
   * the stricter one therefore (details 16), and a conversion never sees what may not travel. The classes of the body are
   * those of every version it went through: a value keeps the class it had, whatever an older version calls it.
   */
  #cutAndConvert(version: number, granted: ClassMask): { rest: Uint8Array; withheld: ClassMask; classes: ClassMask } {
    let plan = this.#planned()
    const published = this.#fields.schemaVersion
    let { data: rest, withheld } = plan.cut(granted, published === version ? BRACE : null)
    let classes = plan.classes & granted
    for (let from = published; from > version; from--) {
      const steps = this.#contract.version(from)?.down ?? []
      const shape = this.#contract.version(from - 1)?.shape
      if (shape === undefined) throw new Error(`version ${from} converts to a version that is not there`)
      const json = convertIndexed(rest ?? this.#uncutData(), steps)
      plan = planCuts(json, json.root, shape)
      const cut = plan.cut(granted)
      rest = cut.data ?? json.bytes
      withheld |= cut.withheld
      classes |= plan.classes & granted
      if (from - 1 === version) rest = joined(rest, BRACE)
    }
    return { rest: rest ?? joined(this.#uncutData(), BRACE), withheld, classes }
  }

  #renderThin(version: number): RenderedBody {
    const { json, parts, data } = this.#planned()
    const ids: Record<string, string> = {}
    let status: string | null = null
    for (const { node, bit } of parts) {
      if (bit !== PUBLIC || json.kind(node) !== 'string' || json.parent(node) !== data) continue
      const name = json.keyText(node)
      if (name === 'status') status = json.text(node)
      else if (name.endsWith('_id')) ids[name] = json.text(node)
    }
    const resource = `${this.#publicUrl}/v1/events/${this.#fields.eventId}`
    const envelope = prepareThin(this.#fields, version, { status, ids, resource })
    return { envelope, rest: NOTHING, classes: PUBLIC }
  }

  #uncutData(): Uint8Array {
    const { source, dataStart, dataEnd } = this.#event
    return source.subarray(dataStart, dataEnd)
  }

  #planned(): CutPlan {
    if (this.#plan !== null) return this.#plan
    const json = indexOf(this.#uncutData())
    return (this.#plan = planCuts(json, json.root, this.#shape()))
  }

  /** Of the version it was published in. */
  #shape(): DataShape {
    const shape = this.#contract.version(this.#fields.schemaVersion)?.shape
    if (shape === undefined) throw new Error(`${this.#fields.type} has lost version ${this.#fields.schemaVersion}`)
    return shape
  }
}

/** The agent's name and version are `operational`; its id is public. */
export function agentClasses({ agent }: Pick<EnvelopeFields, 'agent'>): ClassMask {
  return agent.name === undefined && agent.version === undefined ? 0 : OPERATIONAL
}

/** @param data has been scanned before */
function indexOf(data: Uint8Array): JsonIndex {
  const scan = scanJson(data)
  if (!scan.ok) throw new Error(`data that was accepted cannot be read again: ${scan.error.message}`)
  return scan.json
}
