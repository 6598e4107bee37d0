import { Engine, type Command } from './engine'

// TypeScript's library for pages does not know what there is on the audio thread.
declare const sampleRate: number
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void

const REPORTS_PER_SECOND = 30

class StemPlayer extends AudioWorkletProcessor {
  #engine = new Engine()
  #sinceReport = 0

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<Command>) => {
      this.#engine.do(data)
      if (data.type !== 'fill') this.port.postMessage(this.#engine.report())
    }
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    const [left, right] = output ?? []
    if (!left || !right) return true
    this.#engine.render(left, right)
    this.#sinceReport += left.length
    if (this.#sinceReport >= sampleRate / REPORTS_PER_SECOND) {
      this.#sinceReport = 0
      this.port.postMessage(this.#engine.report())
    }
    return true
  }
}

registerProcessor('stem-player', StemPlayer)
