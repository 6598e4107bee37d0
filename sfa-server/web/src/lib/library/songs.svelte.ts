import { SvelteMap } from 'svelte/reactivity'
import { api, Failure, take, type Job, type Missing, type Song } from '$lib/api/client'
import { live } from '$lib/live/live.svelte'
import type { News } from '$lib/live/line'
import { entry, type Entry } from './query'

const PAGE = 500
/** As many as a screen shows. */
const FIRST_PAGE = 100

/** A job as the tray shows it. */
export type LiveJob = Pick<
  Job,
  'id' | 'kind' | 'state' | 'progress' | 'stage' | 'attempt' | 'max_attempts' | 'next_attempt_at_ms' | 'error'
> & {
  track: string
  created_at_ms: number
}

/** The whole library of who is signed in, kept true by what the server tells. */
class Songs {
  entries = $state.raw<Entry[]>([])
  /** Whether there is something to show: the first songs of many. */
  isLoaded = $state(false)
  /** Whether all songs are here. */
  isWhole = $state(false)
  failure = $state.raw<Failure | null>(null)
  /** What waits, runs, or has failed, by the id of the job. */
  jobs = new SvelteMap<string, LiveJob>()
  /** Says in one sentence what has just happened, for those who do not see it. */
  announcement = $state('')

  #byId = new Map<string, Entry>()
  /** What was told of songs since the last load began, which may have read them before. */
  #meanwhile = new Map<string, Song>()
  #missing = new Map<string, Missing>()
  #stop: (() => void) | null = null
  #loads = 0

  open(): void {
    this.#stop ??= live.follow('library', (news) => this.#hear(news))
    void this.#showFirst()
    void this.lookForFiles()
  }

  close(): void {
    this.#stop?.()
    this.#stop = null
    this.#byId.clear()
    this.#missing.clear()
    this.jobs.clear()
    this.entries = []
    this.isLoaded = false
    this.isWhole = false
    this.#loads += 1
  }

  find(id: string): Song | undefined {
    // Reading the list makes the caller follow it.
    return this.entries.length > 0 ? this.#byId.get(id)?.song : undefined
  }

  /** Which files of a song are gone from the storage, as far as was looked. */
  missingOf(id: string): Missing | undefined {
    return this.entries.length > 0 ? this.#byId.get(id)?.missing : undefined
  }

  /** Looks for songs of which files are gone. What is not known is not marked. */
  async lookForFiles(): Promise<void> {
    const found = await take(api.GET('/api/v1/tracks/missing')).catch(() => null)
    if (!found || !this.#stop) return
    this.#missing = new Map(found.data.map((missing) => [missing.track, missing]))
    for (const [id, { song, missing }] of this.#byId) {
      if (missing || this.#missing.has(id)) this.#set(song)
    }
    this.#publish()
  }

  /** Shows the first songs while the connection is made from which on all is known. */
  async #showFirst(): Promise<void> {
    const opened = this.#stop
    const query = { limit: FIRST_PAGE }
    const first = await take(api.GET('/api/v1/tracks', { params: { query } })).catch(() => null)
    if (!first || opened !== this.#stop || this.isLoaded) return
    this.#show(new Map(first.data.map((song) => [song.id, this.#entry(song)])))
  }

  /** Reads everything anew. */
  async load(): Promise<void> {
    const load = ++this.#loads
    try {
      const found = new Map<string, Entry>()
      this.#meanwhile.clear()
      let after: string | undefined
      do {
        const query = { limit: PAGE, ...(after ? { after } : {}) }
        const page = await take(api.GET('/api/v1/tracks', { params: { query } }))
        if (load !== this.#loads) return
        for (const song of page.data) found.set(song.id, this.#entry(song))
        after = page.next ?? undefined
        if (after && !this.isLoaded) this.#show(new Map(found))
      } while (after)
      for (const song of this.#meanwhile.values()) found.set(song.id, this.#entry(song))
      // Files may have been looked for while songs came.
      for (const [id, missing] of this.#missing) {
        const known = found.get(id)
        if (known) found.set(id, { ...known, missing })
      }
      this.failure = null
      this.isWhole = true
      this.#show(found)
      await this.#loadFailedJobs()
    } catch (cause) {
      if (load === this.#loads) this.failure = Failure.from(cause)
    }
  }

  #show(found: Map<string, Entry>): void {
    this.#byId = found
    this.isLoaded = true
    this.#publish()
  }

  async #loadFailedJobs(): Promise<void> {
    const failed = await take(api.GET('/api/v1/jobs', { params: { query: { state: 'discarded', limit: 100 } } }))
    for (const job of failed.data) {
      if (job.track && this.#byId.get(job.track)?.song.status === 'failed') this.#note(job)
    }
  }

  /** Takes in a song as the server has just shown it. */
  put(song: Song): void {
    this.#set(song)
    this.#publish()
  }

  drop(id: string): void {
    this.#byId.delete(id)
    this.#meanwhile.delete(id)
    for (const [job, { track }] of this.jobs) if (track === id) this.jobs.delete(job)
    this.#publish()
  }

  async refresh(id: string): Promise<void> {
    const before = this.#meanwhile.get(id)
    try {
      const { data } = await take(api.GET('/api/v1/tracks/{id}', { params: { path: { id } } }))
      // What was told of it meanwhile is newer.
      if (this.#meanwhile.get(id) === before) this.put(data)
    } catch (cause) {
      if (Failure.from(cause).code === 'not_found') this.drop(id)
    }
  }

  #entry(song: Song): Entry {
    return entry(song, this.#missing.get(song.id))
  }

  #set(song: Song): void {
    this.#byId.set(song.id, this.#entry(song))
  }

  #publish(): void {
    this.entries = [...this.#byId.values()]
  }

  #hear(news: News): void {
    if (news.type === 'snapshot') {
      // The first, and one after too long a silence: what is known may be old.
      const { jobs } = news.data as { jobs: Job[] }
      this.jobs.clear()
      for (const job of jobs) this.#note(job)
      void this.load()
      return
    }
    const payload = news.payload as { track?: string; text?: string; tracks?: Song[]; jobs?: Job[] }
    for (const job of payload.jobs ?? []) this.#note(job)
    for (const song of payload.tracks ?? []) {
      this.#set(song)
      this.#meanwhile.set(song.id, song)
    }
    if (payload.tracks) this.#publish()
    if (news.kind === 'track.removed' && payload.track) this.drop(payload.track)
    else if (news.kind === 'notification') this.announcement = payload.text ?? ''
  }

  #note(job: Job): void {
    const isOver = job.state === 'completed' || job.state === 'cancelled'
    if (!job.track || isOver) this.jobs.delete(job.id)
    else this.jobs.set(job.id, { ...job, track: job.track, error: job.error ?? null })
  }

  async cancel(job: string): Promise<void> {
    this.#note((await take(api.POST('/api/v1/jobs/{id}/cancel', { params: { path: { id: job } } }))).data)
  }

  async retry(job: string): Promise<void> {
    const { data } = await take(api.POST('/api/v1/jobs/{id}/retry', { params: { path: { id: job } } }))
    this.#note(data)
    if (data.track) await this.refresh(data.track)
  }

  async process(id: string, from: 'separate' | 'analyze' | 'export'): Promise<void> {
    // The document says of this field that it is text and an object at once.
    const body = { from } as never
    await take(api.POST('/api/v1/tracks/{id}/process', { params: { path: { id } }, body }))
    await this.refresh(id)
  }

  /** Has the workers do a step, and those after it, to several songs. */
  async processAll(ids: readonly string[], from: 'separate' | 'analyze' | 'export'): Promise<void> {
    const body = { track_ids: [...ids], from } as never
    await take(api.POST('/api/v1/tracks/process', { body }))
    await this.load()
  }

  async removeAll(ids: readonly string[]): Promise<void> {
    await take(api.POST('/api/v1/tracks/remove', { body: { track_ids: [...ids] } }))
    for (const id of ids) this.drop(id)
  }

  async remove(id: string): Promise<void> {
    await take(api.DELETE('/api/v1/tracks/{id}', { params: { path: { id } } }))
    this.drop(id)
  }

  async edit(id: string, changes: { title?: string; artist?: string; album?: string }): Promise<void> {
    this.put((await take(api.PATCH('/api/v1/tracks/{id}', { params: { path: { id } }, body: changes }))).data)
  }
}

/** All songs, and the work on them. */
export const songs = new Songs()
