import { api, take, type Cue, type PlaceCue } from '$lib/api/client'

/** The colours of hot cues 1 to 8, as decks light them. */
export const PAD_COLOURS = ['#ef4444', '#3b82f6', '#22c55e', '#eab308', '#8b5cf6', '#06b6d4', '#f97316', '#e5e7eb'] as const

/** What a cue without a colour is shown in. */
export const PLAIN_COLOUR = '#7c8698'

const MOST_UNDONE = 50

/** What a cue is called where nobody named it. */
export function nameOf({ label, end_ms }: Cue): string {
  return label || (end_ms == null ? 'Cue' : 'Loop')
}

/** What a cue is told to be. */
function placed({ kind, label, start_ms, end_ms, colour, pad }: Cue): PlaceCue {
  return { kind, label, start_ms, end_ms: end_ms ?? null, colour: colour ?? null, pad: pad ?? null }
}

/** The cues and loops of one song, and what is done to them by hand. */
export class CueSheet {
  list = $state.raw<Cue[]>([])
  #undoing = $state.raw<(() => Promise<void>)[]>([])
  /** A cue that comes back is another one to the server; what was done to it before is undone all the same. */
  #successors = new Map<string, string>()

  constructor(readonly track: string) {}

  get canUndo(): boolean {
    return this.#undoing.length > 0
  }

  async load(): Promise<void> {
    this.list = (await take(api.GET('/api/v1/tracks/{id}/cues', { params: { path: { id: this.track } } }))).data
  }

  ofPad(pad: number): Cue | undefined {
    return this.list.find((cue) => cue.pad === pad)
  }

  /** The first hot cue that is free. */
  get freePad(): number | null {
    const free = PAD_COLOURS.findIndex((_, pad) => !this.ofPad(pad))
    return free < 0 ? null : free
  }

  async add(cue: PlaceCue): Promise<void> {
    const made = await this.#post(cue)
    await this.#did(() => this.#delete(made.id))
  }

  /** A hot cue that another one holds is taken from that one. */
  async change(cue: Cue, changes: Partial<PlaceCue>): Promise<void> {
    const before = placed(cue)
    const holder = this.list.find(({ id, pad }) => id !== cue.id && pad != null && pad === changes.pad)
    if (holder) await this.#put(holder.id, { ...placed(holder), pad: null })
    await this.#put(cue.id, { ...before, ...changes })
    await this.#did(async () => {
      await this.#put(cue.id, before)
      if (holder) await this.#put(holder.id, placed(holder))
    })
  }

  async remove(cue: Cue): Promise<void> {
    await this.#delete(cue.id)
    await this.#did(async () => {
      this.#successors.set(cue.id, (await this.#post(placed(cue))).id)
    })
  }

  async undo(): Promise<void> {
    const last = this.#undoing.at(-1)
    if (!last) return
    this.#undoing = this.#undoing.slice(0, -1)
    try {
      await last()
    } finally {
      await this.load()
    }
  }

  async #did(undo: () => Promise<void>): Promise<void> {
    this.#undoing = [...this.#undoing, undo].slice(-MOST_UNDONE)
    await this.load()
  }

  #path(id: string) {
    let now = id
    for (let next = this.#successors.get(now); next; next = this.#successors.get(now)) now = next
    return { params: { path: { id: this.track, cue: now } } }
  }

  async #post(cue: PlaceCue): Promise<Cue> {
    return (await take(api.POST('/api/v1/tracks/{id}/cues', { params: { path: { id: this.track } }, body: cue }))).data
  }

  async #put(id: string, cue: PlaceCue): Promise<void> {
    await take(api.PUT('/api/v1/tracks/{id}/cues/{cue}', { ...this.#path(id), body: cue }))
  }

  async #delete(id: string): Promise<void> {
    await take(api.DELETE('/api/v1/tracks/{id}/cues/{cue}', this.#path(id)))
  }
}
