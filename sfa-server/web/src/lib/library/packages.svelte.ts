import { SvelteMap } from 'svelte/reactivity'
import { api, Failure, take, type Job, type NewPackage, type Package, type PackagePlan } from '$lib/api/client'
import type { News } from '$lib/live/line'
import { live } from '$lib/live/live.svelte'

const LOOK_AGAIN_MS = 1500
const KIND = 'package'

/** What was packed for other programs, and what is being packed. */
class Packages {
  list = $state.raw<Package[]>([])
  /** Jobs that are not done, or have failed, by their id: the package will have the same. */
  jobs = new SvelteMap<string, Job>()
  #stop: (() => void) | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  open(): void {
    this.#stop ??= live.follow('library', (news) => this.#hear(news))
  }

  close(): void {
    this.#stop?.()
    this.#stop = null
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.jobs.clear()
    this.list = []
  }

  find(id: string): Package | undefined {
    return this.list.find((made) => made.id === id)
  }

  #hear(news: News): void {
    if (news.type === 'snapshot') void this.#loadAll()
    else if (news.kind.startsWith('package.')) void this.#load()
  }

  async #loadAll(): Promise<void> {
    await this.#load()
    try {
      const { data } = await take(api.GET('/api/v1/jobs', { params: { query: { limit: 100 } } }))
      for (const job of data.filter(({ kind }) => kind === KIND)) this.#note(job)
    } catch {
      // What runs shows up with the next look.
    }
  }

  async #load(): Promise<void> {
    try {
      this.list = (await take(api.GET('/api/v1/packages'))).data
    } catch {
      // The list of before is better than none; the connection's own notice says what is wrong.
    }
  }

  #note(job: Job): void {
    if (job.state === 'completed' || job.state === 'cancelled') {
      this.jobs.delete(job.id)
      if (job.state === 'completed' && !this.find(job.id)) void this.#load()
    } else this.jobs.set(job.id, job)
    const isOpen = [...this.jobs.values()].some(({ state }) => state !== 'discarded')
    if (isOpen) this.#timer ??= setTimeout(() => void this.#look(), LOOK_AGAIN_MS)
  }

  /** Packing is about several songs, and the news are about one each: this asks. */
  async #look(): Promise<void> {
    this.#timer = undefined
    const open = [...this.jobs.values()].filter(({ state }) => state !== 'discarded')
    for (const { id } of open) {
      try {
        this.#note((await take(api.GET('/api/v1/jobs/{id}', { params: { path: { id } } }))).data)
      } catch (cause) {
        if (Failure.from(cause).code === 'not_found') this.jobs.delete(id)
        else this.#timer ??= setTimeout(() => void this.#look(), LOOK_AGAIN_MS)
      }
    }
  }

  async plan(order: NewPackage): Promise<PackagePlan> {
    return (await take(api.POST('/api/v1/packages/plan', { body: order }))).data
  }

  /** Has one made; returns the id that it will have. */
  async make(order: NewPackage): Promise<string> {
    const { job } = (await take(api.POST('/api/v1/packages', { body: order }))).data
    this.#note((await take(api.GET('/api/v1/jobs/{id}', { params: { path: { id: job } } }))).data)
    return job
  }

  async cancel(id: string): Promise<void> {
    this.#note((await take(api.POST('/api/v1/jobs/{id}/cancel', { params: { path: { id } } }))).data)
  }

  async retry(id: string): Promise<void> {
    this.#note((await take(api.POST('/api/v1/jobs/{id}/retry', { params: { path: { id } } }))).data)
  }

  /** Takes a failed one off the list; it stays among the jobs. */
  forget(id: string): void {
    this.jobs.delete(id)
  }

  async remove(id: string): Promise<void> {
    await take(api.DELETE('/api/v1/packages/{id}', { params: { path: { id } } }))
    this.list = this.list.filter((made) => made.id !== id)
  }
}

/** All packages. */
export const packages = new Packages()
