import { SvelteSet } from 'svelte/reactivity'
import { rangeOf } from './window'

/** The songs that something will be done to. */
export class Selection {
  #ids = new SvelteSet<string>()
  #last: string | null = null

  get isEmpty(): boolean {
    return this.#ids.size === 0
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Those of `shown` that are selected, in that order: what a filter hides is not acted on. */
  of(shown: readonly string[]): string[] {
    return shown.filter((id) => this.#ids.has(id))
  }

  /** Selects or leaves one, or with Shift all from the last one. */
  toggle(shown: readonly string[], id: string, isRange: boolean): void {
    const isWanted = !this.#ids.has(id)
    for (const one of isRange ? rangeOf(shown, this.#last, id) : [id]) {
      if (isWanted) this.#ids.add(one)
      else this.#ids.delete(one)
    }
    this.#last = id
  }

  add(ids: readonly string[]): void {
    for (const id of ids) this.#ids.add(id)
  }

  clear(): void {
    this.#ids.clear()
  }
}
