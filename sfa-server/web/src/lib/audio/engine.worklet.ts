import { Engine, type Command, type Report } from './engine'

// TypeScript's library for pages does not know what there is on the audio thread.
declare const sampleRate: number
declare const currentTime: number
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void

const REPORTS_PER_SECOND = 30

/** Asks for some frames of a channel, which only the audio thread has. */
export interface CopyRequest {
  type: 'copy'
  id: number
  channel: number
  start: number
  frames: number
}

/** What comes back. */
export interface Copied {
  type: 'copied'
  id: number
  left: Int16Array<ArrayBuffer>
  right: Int16Array<ArrayBuffer>
}

/** Whatever the audio thread sends. */
export type Message = ({ type: 'report'; at_secs: number } & Report) | Copied

class StemPlayer extends AudioWorkletProcessor {
  #engine = new Engine(sampleRate)
  #sinceReport = 0

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<Command | CopyRequest>) => {
      if (data.type === 'copy') {
        const { left, right } = this.#engine.reel.copy(data.channel, data.start, data.frames)
        this.port.postMessage({ type: 'copied', id: data.id, left, right } satisfies Message, [left.buffer, right.buffer])
        return
      }
      this.#engine.do(data)
      if (data.type !== 'fill') this.#report(currentTime)
    }
  }

  /** Says how it is at a moment of this thread's time. */
  #report(at_secs: number): void {
    this.#sinceReport = 0
    this.port.postMessage({ type: 'report', at_secs, ...this.#engine.report() } satisfies Message)
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    const [left, right] = output ?? []
    if (!left || !right) return true
    this.#engine.render(left, right)
    this.#sinceReport += left.length
    if (this.#sinceReport >= sampleRate / REPORTS_PER_SECOND) this.#report(currentTime + left.length / sampleRate)
    return true
  }
}

registerProcessor('stem-player', StemPlayer)
