import { SvelteMap } from 'svelte/reactivity'
import { api, take, type Job } from '$lib/api/client'
import type { News } from '$lib/live/line'
import { live } from '$lib/live/live.svelte'
import { shownAs } from './address'
import { songs } from './songs.svelte'

const KIND = 'download'
/** A job does not tell what it fetches, so the page remembers what it asked for. */
const NAMES = 'sfa.downloads'

/** Songs that the server fetches from the web, or has fetched since the page was opened. */
class Downloads {
  jobs = new SvelteMap<string, Job>()
  #names = $state.raw<Record<string, string>>({})
  #stop: (() => void) | null = null

  open(): void {
    this.#names = JSON.parse(sessionStorage.getItem(NAMES) ?? '{}') as Record<string, string>
    this.#stop ??= live.follow('library', (news) => this.#hear(news))
  }

  close(): void {
    this.#stop?.()
    this.#stop = null
    this.jobs.clear()
    this.#names = {}
    sessionStorage.removeItem(NAMES)
  }

  get isBusy(): boolean {
    return [...this.jobs.values()].some((job) => !this.isOver(job))
  }

  isOver({ state }: Job): boolean {
    return state === 'completed' || state === 'discarded'
  }

  nameOf({ id }: Job): string {
    return this.#names[id] ?? 'A song from the web'
  }

  /** Whether the song was in the library before: names are given in the order of time. */
  wasHere({ id, track }: Job): boolean {
    const isTwice = [...this.jobs.values()].some((other) => other.id < id && other.track === track)
    return track != null && (track < id || isTwice)
  }

  /** Has the server fetch a song. Fails at once where it never would. */
  async add(address: string): Promise<void> {
    const { job } = (await take(api.POST('/api/v1/tracks/import', { body: { url: address } }))).data
    this.#names = { ...this.#names, [job]: shownAs(address) }
    sessionStorage.setItem(NAMES, JSON.stringify(this.#names))
    // What was told of it meanwhile is newer.
    const now = await take(api.GET('/api/v1/jobs/{id}', { params: { path: { id: job } } }))
    if (!this.jobs.has(job)) this.#note(now.data)
  }

  async cancel({ id }: Job): Promise<void> {
    this.#note((await take(api.POST('/api/v1/jobs/{id}/cancel', { params: { path: { id } } }))).data)
  }

  async retry({ id }: Job): Promise<void> {
    this.#note((await take(api.POST('/api/v1/jobs/{id}/retry', { params: { path: { id } } }))).data)
  }

  /** Takes one that has ended off the list. */
  forget({ id }: Job): void {
    this.jobs.delete(id)
  }

  forgetEnded(): void {
    for (const job of this.jobs.values()) if (this.isOver(job)) this.forget(job)
  }

  #hear(news: News): void {
    const isFirst = news.type === 'snapshot'
    const { jobs = [] } = (isFirst ? news.data : news.payload) as { jobs?: Job[] }
    if (isFirst) for (const job of this.jobs.values()) if (!this.isOver(job)) void this.#lookAgain(job)
    for (const job of jobs) if (job.kind === KIND) this.#note(job)
  }

  /** One that is no longer told of may have ended while nobody listened. */
  async #lookAgain({ id }: Job): Promise<void> {
    const now = await take(api.GET('/api/v1/jobs/{id}', { params: { path: { id } } })).catch(() => null)
    if (now) this.#note(now.data)
    else this.jobs.delete(id)
  }

  #note(job: Job): void {
    if (job.state === 'cancelled') this.jobs.delete(job.id)
    else this.jobs.set(job.id, job)
    if (job.state === 'completed' && job.track && !songs.find(job.track)) void songs.refresh(job.track)
  }
}

/** All songs that come from the web. */
export const downloads = new Downloads()
