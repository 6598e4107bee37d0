import { api, take, type Cue, type PlaceCue } from '$lib/api/client'
import { live } from '$lib/live/live.svelte'

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

type Undo = () => Promise<void>

/** The cues and loops of one song, and what is done to them by hand. */
export class CueSheet {
  list = $state.raw<Cue[]>([])
  #undoing = $state.raw<Undo[]>([])
  /** A cue that comes back is another one to the server; what was done to it before is undone all the same. */
  #successors = new Map<string, string>()
  #loads = 0
  /** So many things are being done from here. */
  #doing = 0

  constructor(readonly track: string) {}

  get canUndo(): boolean {
    return this.#undoing.length > 0
  }

  async load(): Promise<void> {
    const load = ++this.#loads
    const { data } = await take(api.GET('/api/v1/tracks/{id}/cues', { params: { path: { id: this.track } } }))
    // A later answer is newer.
    if (load === this.#loads) this.list = data
  }

  /** Shows what is changed elsewhere until the function that is returned is called. */
  follow(onFailure: (cause: unknown) => void): () => void {
    return live.follow(`track:${this.track}`, (news) => {
      const isNew = news.type === 'snapshot' || news.kind.startsWith('cue.') || news.kind === 'track.cued'
      // What is done from here is shown when it can be undone.
      if (isNew && this.#doing === 0) this.load().catch(onFailure)
    })
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
    await this.#do(async () => {
      const made = await this.#post(cue)
      return () => this.#delete(made.id)
    })
  }

  /** A hot cue that another one holds is taken from that one. */
  async change(cue: Cue, changes: Partial<PlaceCue>): Promise<void> {
    const before = placed(cue)
    const holder = this.list.find(({ id, pad }) => id !== cue.id && pad != null && pad === changes.pad)
    await this.#do(async () => {
      if (holder) await this.#put(holder.id, { ...placed(holder), pad: null })
      await this.#put(cue.id, { ...before, ...changes })
      return async () => {
        await this.#put(cue.id, before)
        if (holder) await this.#put(holder.id, placed(holder))
      }
    })
  }

  async remove(cue: Cue): Promise<void> {
    await this.#do(async () => {
      await this.#delete(cue.id)
      return async () => void this.#successors.set(cue.id, (await this.#post(placed(cue))).id)
    })
  }

  async undo(): Promise<void> {
    const last = this.#undoing.at(-1)
    if (!last) return
    this.#undoing = this.#undoing.slice(0, -1)
    await this.#do(last)
  }

  /** Does something, and shows what came of it once that can be undone. */
  async #do(change: () => Promise<Undo | void>): Promise<void> {
    this.#doing += 1
    try {
      const undo = await change()
      if (undo) this.#undoing = [...this.#undoing, undo].slice(-MOST_UNDONE)
    } finally {
      this.#doing -= 1
      await this.load()
    }
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
