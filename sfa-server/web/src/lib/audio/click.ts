import type { Loop } from './reel'

/** Beats of a song in frames, in order; accents are the firsts of bars. */
export interface Beats {
  frames: Int32Array
  accents: Uint8Array
}

const LENGTH_SECS = 0.04
const DECAY_SECS = 0.008
const ACCENT_HZ = 1760
const BEAT_HZ = 1175

/** A click on the beats of the song itself, added to what is heard: it keeps its pitch at every speed. */
export class Click {
  gain = 0
  /** Whether the beats of the song are clicked; a count-in always is. */
  isOn = false
  #beats: Beats = { frames: new Int32Array(0), accents: new Uint8Array(0) }
  #rate_hz: number
  /** Frames since the click began that is still heard. */
  #age = Infinity
  #pitch_hz = BEAT_HZ

  constructor(rate_hz: number) {
    this.#rate_hz = rate_hz
  }

  setBeats(beats: Beats): void {
    this.#beats = beats
  }

  /** Adds the clicks of a stretch of the song that begins at `from` and is played at `speed`. */
  follow(left: Float32Array, right: Float32Array, at: number, count: number, from: number, speed: number, loop: Loop | null): void {
    const { frames, accents } = this.#beats
    let done = 0
    let place = from
    while (done < count) {
      const end = loop && place < loop.end ? loop.end : Infinity
      const run = Math.min(count - done, Math.max(1, Math.ceil((end - place) / speed)))
      const to = place + run * speed
      let written = 0
      for (let beat = this.isOn ? firstAtOrAfter(frames, place) : Infinity; (frames[beat] ?? Infinity) < to; beat += 1) {
        const offset = Math.min(run - 1, Math.round(((frames[beat] ?? 0) - place) / speed))
        this.ring(left, right, at + done + written, offset - written)
        written = offset
        this.strike(accents[beat] === 1)
      }
      this.ring(left, right, at + done + written, run - written)
      done += run
      place = to >= end && loop ? loop.start + (to - end) : to
    }
  }

  strike(isAccent: boolean): void {
    this.#age = 0
    this.#pitch_hz = isAccent ? ACCENT_HZ : BEAT_HZ
  }

  /** Adds what is still heard of the last click. */
  ring(left: Float32Array, right: Float32Array, at: number, count: number): void {
    for (let index = 0; index < count && this.#age < LENGTH_SECS * this.#rate_hz; index += 1) {
      const secs = this.#age / this.#rate_hz
      const sample = this.gain * Math.sin(2 * Math.PI * this.#pitch_hz * secs) * Math.exp(-secs / DECAY_SECS)
      left[at + index] = (left[at + index] ?? 0) + sample
      right[at + index] = (right[at + index] ?? 0) + sample
      this.#age += 1
    }
  }
}

function firstAtOrAfter(frames: Int32Array, place: number): number {
  let [low, high] = [0, frames.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((frames[middle] ?? 0) < place) low = middle + 1
    else high = middle
  }
  return low
}
