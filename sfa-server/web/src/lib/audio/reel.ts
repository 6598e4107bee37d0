/** A stretch that is played again and again: from `start`, up to but without `end`, in frames. */
export interface Loop {
  start: number
  end: number
}

/** How loud a channel is on either side. */
export interface Gain {
  left: number
  right: number
}

const FULL_SCALE = 32768
/** Gains move by so much a frame: no step is heard, and 5 ms are not noticed. */
export const GAIN_STEP = 1 / 220

interface Channel {
  left: Int16Array
  right: Int16Array
  /** So many frames from the start are there. */
  filled: number
  gain: Gain
  target: Gain
  peak: number
}

/**
 * Several channels that are read as one: they share a single position, so that they cannot drift apart. Samples are kept
 * in 16 bits, half of what floats take.
 */
export class Reel {
  frames = 0
  frame = 0
  /** Whether the end of the loop was passed since the position was set. */
  hasWrapped = false
  #loop: Loop | null = null
  #channels: Channel[] = []

  load(frames: number, channels: number): void {
    this.frames = frames
    this.#channels = Array.from({ length: channels }, () => ({
      left: new Int16Array(0),
      right: new Int16Array(0),
      filled: 0,
      gain: { left: 1, right: 1 },
      target: { left: 1, right: 1 },
      peak: 0,
    }))
    this.#loop = null
    this.seek(0)
  }

  fill(index: number, start: number, left: Int16Array, right: Int16Array): void {
    const channel = this.#channels[index]
    if (!channel) return
    if (channel.left.length === 0) {
      // A channel that is never heard takes no memory.
      channel.left = new Int16Array(this.frames)
      channel.right = new Int16Array(this.frames)
    }
    const room = Math.max(0, this.frames - start)
    channel.left.set(left.subarray(0, room), start)
    channel.right.set(right.subarray(0, room), start)
    channel.filled = Math.min(this.frames, start + left.length)
  }

  /** Some frames of a channel, as they are. */
  copy(index: number, start: number, count: number): { left: Int16Array<ArrayBuffer>; right: Int16Array<ArrayBuffer> } {
    const { left, right } = this.#channels[index] ?? { left: new Int16Array(0), right: new Int16Array(0) }
    return { left: left.slice(start, start + count), right: right.slice(start, start + count) }
  }

  setGain(index: number, target: Gain, isAtOnce: boolean): void {
    const channel = this.#channels[index]
    if (!channel) return
    channel.target = target
    if (isAtOnce) channel.gain = { ...target }
  }

  get loop(): Loop | null {
    return this.#loop
  }

  set loop(loop: Loop | null) {
    this.#loop = loop && loop.end > loop.start ? loop : null
    this.hasWrapped = false
  }

  seek(frame: number): void {
    this.frame = Math.min(Math.max(0, Math.round(frame)), this.frames)
    this.hasWrapped = false
  }

  /** So many frames from the start are there of all that is heard; what is silent is not waited for. */
  get ready(): number {
    return this.#channels.reduce((least, channel) => (isSilent(channel) ? least : Math.min(least, channel.filled)), this.frames)
  }

  /** Whether the next frames are there, as far as the song goes. */
  has(count: number): boolean {
    return Math.min(this.frame + count, this.#end) <= this.ready
  }

  /** Where reading on from here ends or begins anew. */
  get #end(): number {
    return this.#loop && this.frame < this.#loop.end ? Math.min(this.#loop.end, this.frames) : this.frames
  }

  /** Adds the next frames of the sum; returns how many, fewer where the song ends or what comes next is not there yet. */
  read(left: Float32Array, right: Float32Array, at: number, count: number): number {
    const { ready } = this
    let done = 0
    while (done < count) {
      const end = this.#end
      const run = Math.min(count - done, Math.min(ready, end) - this.frame)
      if (run <= 0) break
      for (const channel of this.#channels) if (!isSilent(channel)) add(channel, this.frame, left, right, at + done, run)
      done += run
      this.frame += run
      if (this.frame === this.#loop?.end) {
        this.frame = this.#loop.start
        this.hasWrapped = true
      }
    }
    return done
  }

  /** The highest sample of each channel since it was last asked for. */
  takePeaks(): number[] {
    const peaks = this.#channels.map(({ peak }) => peak)
    for (const channel of this.#channels) channel.peak = 0
    return peaks
  }
}

function isSilent({ gain, target }: Channel): boolean {
  return gain.left === 0 && gain.right === 0 && target.left === 0 && target.right === 0
}

function add(channel: Channel, from: number, left: Float32Array, right: Float32Array, at: number, run: number): void {
  const { target } = channel
  let { left: gainLeft, right: gainRight } = channel.gain
  let { peak } = channel
  for (let index = 0; index < run; index += 1) {
    gainLeft = towards(gainLeft, target.left)
    gainRight = towards(gainRight, target.right)
    const sampleLeft = ((channel.left[from + index] ?? 0) * gainLeft) / FULL_SCALE
    const sampleRight = ((channel.right[from + index] ?? 0) * gainRight) / FULL_SCALE
    left[at + index] = (left[at + index] ?? 0) + sampleLeft
    right[at + index] = (right[at + index] ?? 0) + sampleRight
    peak = Math.max(peak, Math.abs(sampleLeft), Math.abs(sampleRight))
  }
  channel.gain.left = gainLeft
  channel.gain.right = gainRight
  channel.peak = peak
}

/** One step of a gain on its way. */
export function towards(value: number, target: number): number {
  if (value === target) return value
  return value < target ? Math.min(target, value + GAIN_STEP) : Math.max(target, value - GAIN_STEP)
}
