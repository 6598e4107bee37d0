import { SvelteMap } from 'svelte/reactivity'
import { api, take, type Job, type NewPackage, type Package, type PackagePlan } from '$lib/api/client'
import type { News } from '$lib/live/line'
import { live } from '$lib/live/live.svelte'

const KIND = 'package'

/** What was packed for other programs, and what is being packed. */
class Packages {
  list = $state.raw<Package[]>([])
  /** Jobs that are not done, or have failed, by their id: the package will have the same. */
  jobs = new SvelteMap<string, Job>()
  #stop: (() => void) | null = null

  open(): void {
    this.#stop ??= live.follow('library', (news) => this.#hear(news))
  }

  close(): void {
    this.#stop?.()
    this.#stop = null
    this.jobs.clear()
    this.list = []
  }

  find(id: string): Package | undefined {
    return this.list.find((made) => made.id === id)
  }

  #hear(news: News): void {
    const isFirst = news.type === 'snapshot'
    const { jobs = [] } = (isFirst ? news.data : news.payload) as { jobs?: Job[] }
    if (isFirst) this.jobs.clear()
    for (const job of jobs) if (job.kind === KIND) this.#note(job)
    if (isFirst || news.kind.startsWith('package.')) void this.#load()
  }

  async #load(): Promise<void> {
    try {
      this.list = (await take(api.GET('/api/v1/packages'))).data
    } catch {
      // The list of before is better than none; the connection's own notice says what is wrong.
    }
  }

  #note(job: Job): void {
    if (job.state === 'completed' || job.state === 'cancelled') this.jobs.delete(job.id)
    else this.jobs.set(job.id, job)
  }

  async plan(order: NewPackage): Promise<PackagePlan> {
    return (await take(api.POST('/api/v1/packages/plan', { body: order }))).data
  }

  /** Has one made; returns the id that it will have. How far it is will be told. */
  async make(order: NewPackage): Promise<string> {
    return (await take(api.POST('/api/v1/packages', { body: order }))).data.job
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
