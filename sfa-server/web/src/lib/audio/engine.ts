/** What the page says to the audio thread. */
export type Command =
  | { type: 'load'; frames: number; channels: number }
  | { type: 'fill'; channel: number; start: number; left: Int16Array; right: Int16Array }
  | { type: 'gain'; channel: number; gain: number }
  | { type: 'play' }
  | { type: 'pause' }
  | { type: 'seek'; frame: number }
  | { type: 'loop'; loop: Loop | null }

/** A stretch that is played again and again: from `start`, up to but without `end`, in frames. */
export interface Loop {
  start: number
  end: number
}

/** What the audio thread says to the page. */
export interface Report {
  frame: number
  isPlaying: boolean
  /** Playing, but what comes next has not arrived yet. */
  isWaiting: boolean
  /** The highest sample of each channel since the last report. */
  peaks: number[]
}

const FULL_SCALE = 32768
/** Gains move by so much a frame: no step is heard, and 5 ms are not noticed. */
const GAIN_STEP = 1 / 220

interface Channel {
  left: Int16Array
  right: Int16Array
  /** So many frames from the start are there. */
  filled: number
  gain: number
  target: number
  peak: number
}

/**
 * Plays several channels as one: they share a single position, so that they cannot drift apart. Samples are kept in 16
 * bits, half of what floats take.
 */
export class Engine {
  #channels: Channel[] = []
  #frames = 0
  #frame = 0
  #isPlaying = false
  #isWaiting = false
  #loop: Loop | null = null
  /** Fades starts and stops: 0 silent, 1 all there. */
  #level = 0

  do(command: Command): void {
    switch (command.type) {
      case 'load':
        this.#frames = command.frames
        this.#channels = Array.from({ length: command.channels }, () => ({
          left: new Int16Array(command.frames),
          right: new Int16Array(command.frames),
          filled: 0,
          gain: 1,
          target: 1,
          peak: 0,
        }))
        this.#frame = 0
        this.#isPlaying = false
        this.#loop = null
        this.#level = 0
        return
      case 'fill': {
        const channel = this.#channels[command.channel]
        if (!channel) return
        const room = Math.max(0, this.#frames - command.start)
        channel.left.set(command.left.subarray(0, room), command.start)
        channel.right.set(command.right.subarray(0, room), command.start)
        channel.filled = Math.min(this.#frames, command.start + command.left.length)
        return
      }
      case 'gain': {
        const channel = this.#channels[command.channel]
        if (channel) channel.target = command.gain
        // What is not heard need not be faded.
        if (channel && this.#level === 0) channel.gain = command.gain
        return
      }
      case 'play':
        this.#isPlaying = true
        if (this.#frame >= this.#frames) this.#frame = 0
        return
      case 'pause':
        this.#isPlaying = false
        return
      case 'seek':
        this.#frame = Math.min(Math.max(0, Math.round(command.frame)), this.#frames)
        this.#level = 0
        return
      case 'loop':
        this.#loop = command.loop
    }
  }

  /** Writes the next frames of the sum. */
  render(left: Float32Array, right: Float32Array): void {
    left.fill(0)
    right.fill(0)
    const ready = this.#channels.reduce((least, { filled }) => Math.min(least, filled), this.#frames)
    this.#isWaiting = this.#isPlaying && this.#frame >= ready && ready < this.#frames
    for (let at = 0; at < left.length; ) {
      const isSounding = this.#isPlaying || this.#level > 0
      const loop = this.#loop
      const isInLoop = loop !== null && this.#frame < loop.end
      const end = Math.min(ready, isInLoop ? loop.end : this.#frames)
      const run = Math.min(left.length - at, end - this.#frame)
      if (!isSounding || run <= 0) {
        this.#level = 0
        break
      }
      const played = this.#mix(left, right, at, run)
      at += played
      this.#frame += played
      if (isInLoop && this.#frame === loop.end) this.#frame = loop.start
      if (played < run) break
    }
    if (this.#frame >= this.#frames) this.#isPlaying = false
  }

  /** Adds a run of frames of all channels; returns how many, fewer where a fade to silence ended. */
  #mix(left: Float32Array, right: Float32Array, at: number, run: number): number {
    const target = this.#isPlaying ? 1 : 0
    let played = run
    if (this.#level !== target && target === 0) played = Math.min(run, Math.ceil(this.#level / GAIN_STEP))
    for (const channel of this.#channels) {
      let { gain, peak } = channel
      let level = this.#level
      for (let index = 0; index < played; index += 1) {
        gain = towards(gain, channel.target)
        level = towards(level, target)
        const scale = (gain * level) / FULL_SCALE
        const sampleLeft = (channel.left[this.#frame + index] ?? 0) * scale
        const sampleRight = (channel.right[this.#frame + index] ?? 0) * scale
        left[at + index] = (left[at + index] ?? 0) + sampleLeft
        right[at + index] = (right[at + index] ?? 0) + sampleRight
        peak = Math.max(peak, Math.abs(sampleLeft), Math.abs(sampleRight))
      }
      channel.gain = gain
      channel.peak = peak
    }
    for (let index = 0; index < played; index += 1) this.#level = towards(this.#level, target)
    return played
  }

  report(): Report {
    const peaks = this.#channels.map(({ peak }) => peak)
    for (const channel of this.#channels) channel.peak = 0
    return { frame: this.#frame, isPlaying: this.#isPlaying, isWaiting: this.#isWaiting, peaks }
  }
}

function towards(value: number, target: number): number {
  if (value === target) return value
  return value < target ? Math.min(target, value + GAIN_STEP) : Math.max(target, value - GAIN_STEP)
}
