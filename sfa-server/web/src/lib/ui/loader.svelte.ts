import { Failure } from '$lib/api/client'
import { toasts } from './toasts.svelte'

/** Something that is fetched when it is shown, and again after it was changed. */
export class Loader<T> {
  value = $state.raw<T | undefined>(undefined)
  failure = $state.raw<Failure | null>(null)
  #loads = 0

  constructor(private readonly fetch: () => Promise<T>) {}

  async load(): Promise<void> {
    const load = ++this.#loads
    try {
      const value = await this.fetch()
      // A later question has the newer answer.
      if (load === this.#loads) [this.value, this.failure] = [value, null]
    } catch (cause) {
      if (load === this.#loads) this.failure = Failure.from(cause)
    }
  }

  /** Changes something, says so, and fetches anew. Returns whether it went well. */
  async change(doing: Promise<unknown>, done: string): Promise<boolean> {
    try {
      await doing
    } catch (cause) {
      toasts.fail(cause)
      return false
    }
    toasts.done(done)
    await this.load()
    return true
  }
}
