/** Signalsmith Stretch, compiled, and what its functions are called in there. */
export interface StretchProgram {
  module: WebAssembly.Module
  names: Record<string, string>
}

type Call = (...values: number[]) => number

/**
 * Changes the speed of a stereo signal without its pitch, or its pitch without its speed. It looks ahead: what it gives
 * out was put in some frames before, see {@link Stretcher.ahead}.
 */
export class Stretcher {
  readonly inputLatency: number
  readonly outputLatency: number
  readonly #memory: WebAssembly.Memory
  readonly #call: (name: string, ...values: number[]) => number
  readonly #rate_hz: number
  readonly #room: number
  readonly #pointer: number

  constructor({ module, names }: StretchProgram, rate_hz: number) {
    const { exports } = new WebAssembly.Instance(module, { a: this.#imports() })
    const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory)
    if (!memory) throw new Error('the stretcher has no memory')
    this.#memory = memory
    this.#call = (name, ...values) => (exports[names[name] ?? ''] as Call)(...values)
    this.#call('construct')
    this.#call('main', 0, 0)
    this.#call('presetDefault', 2, rate_hz)
    this.inputLatency = this.#call('inputLatency')
    this.outputLatency = this.#call('outputLatency')
    this.#rate_hz = rate_hz
    this.#room = this.inputLatency + this.outputLatency
    this.#pointer = this.#call('setBuffers', 2, this.#room)
  }

  /** What its few wants are of whoever runs it: random numbers, memory, copies, an end. */
  #imports(): Record<string, (...values: number[]) => number> {
    const bytes = () => new Uint8Array(this.#memory.buffer)
    return {
      a: (at = 0, count = 0) => {
        for (let index = at; index < at + count; index += 1) bytes()[index] = Math.random() * 256
        return 0
      },
      b: (size = 0) => {
        this.#memory.grow(Math.ceil(Math.max(0, size - this.#memory.buffer.byteLength) / 65_536))
        return 1
      },
      c: (to = 0, from = 0, count = 0) => {
        bytes().copyWithin(to, from, from + count)
        return 0
      },
      d: () => {
        throw new Error('the stretcher gave up')
      },
    }
  }

  /** How many frames of the song were put in beyond what comes out. */
  ahead(speed: number): number {
    return this.inputLatency + this.outputLatency * speed
  }

  setSemitones(semitones: number): void {
    const TONALITY_LIMIT_HZ = 8000
    this.#call('setTransposeSemitones', semitones, TONALITY_LIMIT_HZ / this.#rate_hz)
  }

  /** Begins anew after the frames that came before: as many as it looks ahead at normal speed. */
  begin(left: Float32Array, right: Float32Array, speed: number): void {
    this.#call('reset')
    this.#put(left, right, this.#room)
    this.#call('seek', this.#room, speed)
  }

  /** Puts `taken` frames in and writes `count` others. */
  process(left: Float32Array, right: Float32Array, taken: number, outLeft: Float32Array, outRight: Float32Array, at: number, count: number): void {
    this.#put(left, right, taken)
    this.#call('process', taken, count)
    outLeft.set(this.#buffer(2, count), at)
    outRight.set(this.#buffer(3, count), at)
  }

  #put(left: Float32Array, right: Float32Array, count: number): void {
    this.#buffer(0, count).set(left.subarray(0, count))
    this.#buffer(1, count).set(right.subarray(0, count))
  }

  /** Two buffers for what goes in, two for what comes out; the memory may have moved. */
  #buffer(index: number, count: number): Float32Array {
    return new Float32Array(this.#memory.buffer, this.#pointer + index * this.#room * 4, count)
  }
}
