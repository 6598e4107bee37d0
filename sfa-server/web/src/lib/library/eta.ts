interface Sample {
  at_ms: number
  progress: number
}

/** What a first estimate needs: less says nothing about how fast the rest will be. */
const LEAST_MS = 8000
const LEAST_PERCENT = 4

/**
 * How long a piece of work will still take, told from how far it came while somebody looked. Nothing is said before enough
 * was seen, and stages that say nothing of their progress give none.
 */
export class Pace {
  #first: Sample | null = null
  #last: Sample | null = null

  /** Notes how far it is; a fall is a new attempt. */
  note(progress: number, at_ms: number): void {
    if (!this.#first || progress < (this.#last?.progress ?? 0)) this.#first = { at_ms, progress }
    if (progress !== this.#last?.progress) this.#last = { at_ms, progress }
  }

  /** Seconds to the end; null while that cannot be told. */
  remaining_secs(now_ms: number): number | null {
    if (!this.#first || !this.#last) return null
    const [done, took_ms] = [this.#last.progress - this.#first.progress, this.#last.at_ms - this.#first.at_ms]
    if (took_ms < LEAST_MS || done < LEAST_PERCENT) return null
    const remaining_ms = ((100 - this.#last.progress) * took_ms) / done - (now_ms - this.#last.at_ms)
    return remaining_ms > 0 ? remaining_ms / 1000 : null
  }
}

/** "about 3 min left": no more exact than it can be known. */
export function timeLeft(secs: number): string {
  if (secs < 10) return 'a few seconds left'
  if (secs < 55) return `about ${Math.ceil(secs / 10) * 10} s left`
  if (secs < 3300) return `about ${Math.max(1, Math.round(secs / 60))} min left`
  return `about ${(secs / 3600).toFixed(1)} h left`
}
