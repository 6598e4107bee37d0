import type { Analysis } from '$lib/api/analysis'
import type { Beats } from './click'

/** Where a moment is in the music: bar 1 begins at the first downbeat. */
export interface Place {
  bar: number
  beat: number
}

interface GridBeat extends Place {
  time_secs: number
}

/** A stretch of whole bars. */
export interface Bars {
  start_secs: number
  end_secs: number
}

/** The beats of a song as they were found in it: bars are counted on them and not on a tempo. */
export class Grid {
  readonly beats: readonly GridBeat[]
  readonly beatsPerBar: number

  constructor(rhythm: Analysis['rhythm']) {
    let bar = 0
    this.beatsPerBar = rhythm?.meter?.beats_per_bar ?? 4
    this.beats = (rhythm?.beats ?? []).map(({ time_secs, bar_position }) => {
      if (bar_position === 1) bar += 1
      return { time_secs, bar, beat: bar_position ?? 1 }
    })
  }

  /** The bar and beat that sound; none before the first beat. */
  place(at_secs: number): Place | null {
    return this.beats[this.#before(at_secs)] ?? null
  }

  /** The beat that is nearest. */
  snap(at_secs: number): number {
    const before = this.#before(at_secs)
    const near = [this.beats[before], this.beats[before + 1]].filter((beat) => beat !== undefined)
    const distance = ({ time_secs }: GridBeat) => Math.abs(time_secs - at_secs)
    return near.sort((a, b) => distance(a) - distance(b))[0]?.time_secs ?? at_secs
  }

  /** So many bars from the one that sounds; null where the song has no more of them. */
  bars(at_secs: number, count: number): Bars | null {
    const downbeats = this.beats.filter(({ beat }) => beat === 1)
    let first = downbeats.findLastIndex(({ time_secs }) => time_secs <= at_secs + 1e-6)
    if (first < 0) first = 0
    const [start, end] = [downbeats[first], downbeats[first + count]]
    return start && end ? { start_secs: start.time_secs, end_secs: end.time_secs } : null
  }

  /** Where the next beat is, and how long beats are around there. */
  next(at_secs: number): { time_secs: number; interval_secs: number } | null {
    const after = this.#before(at_secs - 1e-6) + 1
    const [before, next, following] = [this.beats[after - 1], this.beats[after], this.beats[after + 1]]
    const other = following ?? before
    if (!next || !other) return null
    return { time_secs: next.time_secs, interval_secs: Math.abs(other.time_secs - next.time_secs) }
  }

  /** The beats in frames, for the click. */
  inFrames(rate_hz: number): Beats {
    return {
      frames: Int32Array.from(this.beats, ({ time_secs }) => Math.round(time_secs * rate_hz)),
      accents: Uint8Array.from(this.beats, ({ beat }) => (beat === 1 ? 1 : 0)),
    }
  }

  /** The last beat that has begun; -1 before the first. */
  #before(at_secs: number): number {
    let [low, high] = [0, this.beats.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.beats[middle]?.time_secs ?? Infinity) <= at_secs) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

const FRAMES_PER_SECOND = 30

/** Seconds as film counts them, at 30 frames: 61.5 as "00:01:01:15". */
export function smpte(secs: number): string {
  const frames = Math.floor(Math.max(0, secs) * FRAMES_PER_SECOND + 1e-6)
  const parts = [frames / 108_000, (frames / 1800) % 60, (frames / FRAMES_PER_SECOND) % 60, frames % FRAMES_PER_SECOND]
  return parts.map((part) => Math.floor(part).toString().padStart(2, '0')).join(':')
}
