import { live } from '$lib/live/live.svelte'
import type { News } from '$lib/live/line'
import { joined, lineOf, type Entry, type Line } from './line'

const MOST_LINES = 1000
/** What comes at once is shown at once. */
const GATHER_MS = 100

/** What is told of the log: how it was, a line, or how many went by too fast to be told. */
type Told = { entries: Entry[] } | { entry: Entry } | { entries: number }

/** The server's log as it is written, as far as one may see it. */
export class Journal {
  /** As it is shown, the oldest first. */
  lines = $state.raw<Line[]>([])
  /** Lines that came while the list stood still. */
  held = $state(0)
  missed = $state(0)
  /** Whether it was told what was logged before. */
  isOpen = $state(false)
  #isPaused = $state(false)
  #heard: Line[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Listens until the function that is returned is called. */
  follow(): () => void {
    const stop = live.follow('debug', (news) => this.#hear(news))
    return () => {
      stop()
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused
    this.#show()
  }

  #hear(news: News): void {
    const told = (news.type === 'snapshot' ? news.data : news.payload) as Told
    if ('entry' in told) this.#heard = [...this.#heard, lineOf(told.entry)].slice(-MOST_LINES)
    else if (typeof told.entries === 'number') this.missed += told.entries
    else {
      this.isOpen = true
      this.#heard = joined(this.#heard, told.entries.map(lineOf)).slice(-MOST_LINES)
    }
    this.#timer ??= setTimeout(() => this.#show(), GATHER_MS)
  }

  #show(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#isPaused) this.lines = this.#heard
    const last = this.lines.at(-1)
    this.held = last ? this.#heard.length - 1 - this.#heard.lastIndexOf(last) : this.#heard.length
  }
}
