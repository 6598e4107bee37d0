import { Click, type Beats } from './click'
import { Reel, towards, GAIN_STEP, type Gain, type Loop } from './reel'
import { Stretcher, type StretchProgram } from './stretch'

export type { Loop } from './reel'

/** Clicks before the song begins. */
export interface CountIn {
  clicks: number
  /** The first and every further one so many clicks later is a bar's. */
  perBar: number
  /** From click to click. */
  interval: number
  /** How long before the next click the song begins: where it does not begin on a beat. */
  lead: number
}

/** What the page says to the audio thread; places and lengths are in frames. */
export type Command =
  | { type: 'load'; frames: number; channels: number }
  | { type: 'fill'; channel: number; start: number; left: Int16Array; right: Int16Array }
  | { type: 'gain'; channel: number; gain: Gain }
  | { type: 'master'; gain: number }
  /** `isCut`: at once and without a fade, for files. */
  | { type: 'play'; countIn?: CountIn; isCut?: boolean }
  | { type: 'pause' }
  | { type: 'seek'; frame: number }
  | { type: 'loop'; loop: Loop | null }
  | { type: 'beats'; beats: Beats }
  | { type: 'click'; gain: number; isOn: boolean }
  | { type: 'stretcher'; program: StretchProgram }
  | { type: 'tempo'; speed: number; semitones: number }

/** What the audio thread says to the page. */
export interface Report {
  /** What is heard now. */
  frame: number
  isPlaying: boolean
  /** Playing, but what comes next has not arrived yet. */
  isWaiting: boolean
  isCountingIn: boolean
  /** How often it was told to play, to stop or where to go: what it says of before is old. */
  orders: number
  /** The highest sample of each channel since the last report. */
  peaks: number[]
  /** And of both sides of what is heard. */
  out: [number, number]
}

/** More than any speed takes from the song for one quantum of the audio thread. */
const MOST_TAKEN = 4096
const BLOCK = 128

/** Plays a reel: starts and stops without a crack, in loops, at another speed or pitch, with a click. */
export class Engine {
  readonly reel = new Reel()
  readonly #click: Click
  readonly #rate_hz: number
  #isPlaying = false
  #orders = 0
  #isWaiting = false
  /** Fades starts and stops: 0 silent, 1 all there. */
  #level = 0
  #master = { gain: 1, target: 1 }
  #out: [number, number] = [0, 0]
  #countIn: (CountIn & { at: number }) | null = null
  #stretcher: Stretcher | null = null
  #speed = 1
  #semitones = 0
  /** Whether the stretcher holds what comes next. */
  #isPrimed = false
  /** Frames that the stretcher was given after the end of the song. */
  #tail = 0
  /** The part of a frame that is still owed to the stretcher. */
  #owed = 0
  readonly #takenLeft = new Float32Array(MOST_TAKEN)
  readonly #takenRight = new Float32Array(MOST_TAKEN)

  constructor(rate_hz: number) {
    this.#rate_hz = rate_hz
    this.#click = new Click(rate_hz)
  }

  do(command: Command): void {
    switch (command.type) {
      case 'load':
        this.reel.load(command.frames, command.channels)
        this.#stop()
        return
      case 'fill':
        this.reel.fill(command.channel, command.start, command.left, command.right)
        return
      case 'gain':
        // What is not heard need not be faded.
        this.reel.setGain(command.channel, command.gain, this.#level === 0)
        return
      case 'master':
        this.#master.target = command.gain
        if (this.#level === 0) this.#master.gain = command.gain
        return
      case 'play':
        this.#orders += 1
        if (this.heard >= this.reel.frames) this.#moveTo(0)
        if (!this.#isPlaying && command.countIn) this.#countIn = { ...command.countIn, at: 0 }
        if (command.isCut) this.#level = 1
        this.#isPlaying = true
        return
      case 'pause':
        this.#orders += 1
        this.#isPlaying = false
        this.#countIn = null
        return
      case 'seek':
        this.#orders += 1
        this.#moveTo(command.frame)
        this.#level = 0
        return
      case 'loop': {
        const { heard } = this
        this.reel.loop = command.loop
        if (this.#isPrimed) this.#moveTo(heard)
        return
      }
      case 'beats':
        this.#click.setBeats(command.beats)
        return
      case 'click':
        this.#click.gain = command.gain
        this.#click.isOn = command.isOn
        return
      case 'stretcher':
        this.#stretcher = new Stretcher(command.program, this.#rate_hz)
        this.#stretcher.setSemitones(this.#semitones)
        return
      case 'tempo': {
        const wasStretched = this.#isStretched
        const { heard } = this
        this.#speed = command.speed
        this.#semitones = command.semitones
        this.#stretcher?.setSemitones(command.semitones)
        if (wasStretched !== this.#isStretched) this.#moveTo(heard)
      }
    }
  }

  get #isStretched(): boolean {
    return this.#stretcher !== null && (this.#speed !== 1 || this.#semitones !== 0)
  }

  /** The frame of the song that is heard now. */
  get heard(): number {
    const { reel } = this
    if (!this.#isPrimed || !this.#stretcher) return reel.frame
    const frame = reel.frame + this.#tail - this.#stretcher.ahead(this.#speed)
    if (!reel.hasWrapped || !reel.loop) return Math.max(0, frame)
    const { start, end } = reel.loop
    const length = end - start
    return start + ((((frame - start) % length) + length) % length)
  }

  #moveTo(frame: number): void {
    this.reel.seek(frame)
    this.#isPrimed = false
    this.#tail = 0
    this.#owed = 0
  }

  #stop(): void {
    this.#isPlaying = false
    this.#countIn = null
    this.#level = 0
    this.#moveTo(this.heard)
  }

  /** Writes what is heard next. */
  render(left: Float32Array, right: Float32Array): void {
    left.fill(0)
    right.fill(0)
    this.#isWaiting = false
    const at = this.#countIn ? this.#count(left, right, this.#countIn) : 0
    const isSounding = !this.#countIn && (this.#isPlaying || this.#level > 0)
    const wanted = left.length - at
    if (isSounding && wanted > 0) {
      // A fade to silence ends where the song stops.
      const count = this.#isPlaying ? wanted : Math.min(wanted, Math.ceil(this.#level / GAIN_STEP))
      const { heard } = this
      const given = this.#isStretched ? this.#stretch(left, right, at, count) : this.reel.read(left, right, at, count)
      this.#fade(left, right, at, given)
      if (given > 0) this.#click.follow(left, right, at, given, heard, this.#isStretched ? this.#speed : 1, this.reel.loop)
      this.#click.ring(left, right, at + given, wanted - given)
      if (given < count) {
        this.#isWaiting = this.#isPlaying && this.heard < this.reel.frames
        this.#level = 0
      }
      if (this.heard >= this.reel.frames) this.#stop()
      else if (!this.#isPlaying && this.#level === 0) this.#moveTo(this.heard)
    } else if (!this.#countIn) {
      this.#click.ring(left, right, at, wanted)
    }
    this.#finish(left, right)
  }

  /** Clicks before the song; returns how many frames that took. */
  #count(left: Float32Array, right: Float32Array, countIn: CountIn & { at: number }): number {
    const length = Math.round(countIn.clicks * countIn.interval - countIn.lead)
    const run = Math.min(left.length, length - countIn.at)
    let written = 0
    const next = Math.ceil(countIn.at / countIn.interval)
    const offset = Math.round(next * countIn.interval) - countIn.at
    if (offset < run) {
      this.#click.ring(left, right, 0, offset)
      this.#click.strike(next % countIn.perBar === 0)
      written = offset
    }
    this.#click.ring(left, right, written, run - written)
    countIn.at += run
    if (countIn.at >= length) this.#countIn = null
    return run
  }

  /** As {@link Reel.read}, through the stretcher. */
  #stretch(left: Float32Array, right: Float32Array, at: number, count: number): number {
    const stretcher = this.#stretcher
    if (!stretcher || (!this.#isPrimed && !this.#prime(stretcher))) return 0
    const exact = count * this.#speed + this.#owed
    const taken = Math.floor(exact)
    if (!this.reel.has(taken)) return 0
    this.#owed = exact - taken
    this.#take(0, taken)
    stretcher.process(this.#takenLeft, this.#takenRight, taken, left, right, at, count)
    return count
  }

  /** Reads on, with silence after the end. */
  #take(at: number, count: number): void {
    this.#takenLeft.fill(0, at, at + count)
    this.#takenRight.fill(0, at, at + count)
    this.#tail += count - this.reel.read(this.#takenLeft, this.#takenRight, at, count)
  }

  /** Lets the stretcher look ahead, so that the very next frame is that of the position. */
  #prime(stretcher: Stretcher): boolean {
    const { reel } = this
    const { inputLatency, outputLatency } = stretcher
    const start = reel.frame
    if (!reel.has(Math.ceil(stretcher.ahead(this.#speed)) + BLOCK)) return false
    const before = Math.min(start, outputLatency)
    const history = inputLatency + outputLatency
    const [left, right] = [new Float32Array(history), new Float32Array(history)]
    reel.seek(start - before)
    this.#tail = history - (outputLatency - before) - reel.read(left, right, outputLatency - before, before + inputLatency)
    stretcher.begin(left, right, this.#speed)
    const [unheardLeft, unheardRight] = [new Float32Array(BLOCK), new Float32Array(BLOCK)]
    for (let done = 0; done < outputLatency; done += BLOCK) {
      const count = Math.min(BLOCK, outputLatency - done)
      const exact = count * this.#speed + this.#owed
      const taken = Math.floor(exact)
      this.#owed = exact - taken
      this.#take(0, taken)
      stretcher.process(this.#takenLeft, this.#takenRight, taken, unheardLeft, unheardRight, 0, count)
    }
    this.#isPrimed = true
    return true
  }

  #fade(left: Float32Array, right: Float32Array, at: number, count: number): void {
    const target = this.#isPlaying ? 1 : 0
    if (this.#level === target && target === 1) return
    for (let index = at; index < at + count; index += 1) {
      this.#level = towards(this.#level, target)
      left[index] = (left[index] ?? 0) * this.#level
      right[index] = (right[index] ?? 0) * this.#level
    }
  }

  #finish(left: Float32Array, right: Float32Array): void {
    const master = this.#master
    const isSteady = master.gain === 1 && master.target === 1
    let [peakLeft, peakRight] = this.#out
    for (let index = 0; index < left.length; index += 1) {
      if (!isSteady) {
        master.gain = towards(master.gain, master.target)
        left[index] = (left[index] ?? 0) * master.gain
        right[index] = (right[index] ?? 0) * master.gain
      }
      peakLeft = Math.max(peakLeft, Math.abs(left[index] ?? 0))
      peakRight = Math.max(peakRight, Math.abs(right[index] ?? 0))
    }
    this.#out = [peakLeft, peakRight]
  }

  report(): Report {
    const out = this.#out
    this.#out = [0, 0]
    return {
      frame: this.heard,
      isPlaying: this.#isPlaying,
      isWaiting: this.#isWaiting,
      isCountingIn: this.#countIn !== null,
      orders: this.#orders,
      peaks: this.reel.takePeaks(),
      out,
    }
  }
}
