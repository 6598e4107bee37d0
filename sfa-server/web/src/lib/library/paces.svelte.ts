import { untrack } from 'svelte'
import { SvelteMap } from 'svelte/reactivity'
import { Pace, timeLeft } from './eta'
import { songs } from './songs.svelte'

const LOOK_AGAIN_MS = 2000

/** How fast the jobs that are shown go. */
export class Paces {
  #paces = new Map<string, Pace>()
  #left = new SvelteMap<string, string>()

  /** Looks at them until the function that is returned is called. */
  follow(): () => void {
    untrack(() => this.#look())
    const timer = setInterval(() => this.#look(), LOOK_AGAIN_MS)
    return () => clearInterval(timer)
  }

  /** As it is shown; undefined while it cannot be told. */
  left(job: string): string | undefined {
    return this.#left.get(job)
  }

  #look(): void {
    const now_ms = Date.now()
    for (const { id, state, progress } of songs.jobs.values()) {
      if (state !== 'executing') continue
      const pace = this.#paces.get(id) ?? new Pace()
      this.#paces.set(id, pace)
      pace.note(progress, now_ms)
      const secs = pace.remaining_secs(now_ms)
      if (secs === null) this.#left.delete(id)
      else this.#left.set(id, timeLeft(secs))
    }
    for (const id of this.#paces.keys()) if (!songs.jobs.has(id)) this.#forget(id)
  }

  #forget(id: string): void {
    this.#paces.delete(id)
    this.#left.delete(id)
  }
}
