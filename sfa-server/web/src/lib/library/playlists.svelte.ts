import { api, Failure, take, type Playlist } from '$lib/api/client'
import type { News } from '$lib/live/line'
import { live } from '$lib/live/live.svelte'
import { entriesOf } from './playlist'
import type { Entry } from './query'
import { songs } from './songs.svelte'

/** The playlists of who is signed in, kept true by what the server tells. */
class Playlists {
  list = $state.raw<Playlist[]>([])
  isLoaded = $state(false)
  failure = $state.raw<Failure | null>(null)
  #tracks = $state.raw(new Map<string, string[]>())
  #stop: (() => void) | null = null

  open(): void {
    this.#stop ??= live.follow('library', (news) => this.#hear(news))
  }

  close(): void {
    this.#stop?.()
    this.#stop = null
    this.list = []
    this.#tracks = new Map()
    this.isLoaded = false
  }

  find(id: string): Playlist | undefined {
    return this.list.find((playlist) => playlist.id === id)
  }

  /** The ids of the songs that were put in by hand; undefined until they have come. */
  tracksOf(id: string): string[] | undefined {
    return this.#tracks.get(id)
  }

  /** Its songs, by hand or by its rules. */
  entriesOf(id: string): Entry[] {
    const playlist = this.find(id)
    return playlist ? entriesOf(playlist.rules, this.#tracks.get(id) ?? [], songs.entries) : []
  }

  async load(): Promise<void> {
    try {
      this.list = (await take(api.GET('/api/v1/playlists'))).data
      this.isLoaded = true
      this.failure = null
      const known = [...this.#tracks.keys()].filter((id) => this.find(id))
      await Promise.all(known.map((id) => this.loadTracks(id)))
    } catch (cause) {
      this.failure = Failure.from(cause)
    }
  }

  async loadTracks(id: string): Promise<void> {
    try {
      const { data } = await take(api.GET('/api/v1/playlists/{id}', { params: { path: { id } } }))
      this.#tracks = new Map(this.#tracks).set(id, data.track_ids)
    } catch (cause) {
      if (Failure.from(cause).code !== 'not_found') throw cause
      this.#forget(id)
    }
  }

  #forget(id: string): void {
    const tracks = new Map(this.#tracks)
    tracks.delete(id)
    this.#tracks = tracks
    this.list = this.list.filter((playlist) => playlist.id !== id)
  }

  #hear(news: News): void {
    if (news.type === 'snapshot') void this.load()
    else if (news.kind.startsWith('playlist.')) {
      const { playlist } = news.payload as { playlist: string }
      if (news.kind === 'playlist.removed') return this.#forget(playlist)
      void this.load()
      if (this.#tracks.has(playlist)) void this.loadTracks(playlist).catch(() => {})
    }
  }

  /** Makes one, by hand or by rules. */
  async make(name: string, rules?: string): Promise<Playlist> {
    const body = { name, ...(rules ? { rules } : {}) }
    const { data } = await take(api.POST('/api/v1/playlists', { body }))
    await this.load()
    return { ...data, tracks: 0 }
  }

  async edit(id: string, changes: { name?: string; rules?: string }): Promise<void> {
    await take(api.PATCH('/api/v1/playlists/{id}', { params: { path: { id } }, body: changes }))
    await this.load()
  }

  async remove(id: string): Promise<void> {
    await take(api.DELETE('/api/v1/playlists/{id}', { params: { path: { id } } }))
    this.#forget(id)
  }

  async setTracks(id: string, tracks: string[]): Promise<void> {
    const before = this.#tracks
    // Rows that jumped back while the server is asked would be in the way of the next move.
    this.#tracks = new Map(before).set(id, tracks)
    try {
      await take(api.PUT('/api/v1/playlists/{id}/tracks', { params: { path: { id } }, body: { track_ids: tracks } }))
      await this.load()
    } catch (cause) {
      this.#tracks = before
      throw cause
    }
  }

  /** Puts songs at the end; those that are in it stay where they are. Returns how many are new. */
  async add(id: string, added: readonly string[]): Promise<number> {
    await this.loadTracks(id)
    const there = this.#tracks.get(id) ?? []
    const fresh = added.filter((track) => !there.includes(track))
    if (fresh.length > 0) await this.setTracks(id, [...there, ...fresh])
    return fresh.length
  }
}

/** All playlists. */
export const playlists = new Playlists()
