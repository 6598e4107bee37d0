import { Failure } from '$lib/api/client'
import type { Command, Report } from './engine'
import engineUrl from './engine.worklet?worker&url'
import type { Copied, CopyRequest, Message } from './engine.worklet'

const LATENCY_SECS = 0.05

/** Some samples and where they are. */
export interface Samples {
  start_secs: number
  rate_hz: number
  values: Float32Array
}

/** The audio thread with the engine on it, at the rate of the files, so that nothing is resampled. */
export class AudioThread {
  #copies = 0

  private constructor(
    readonly context: AudioContext,
    readonly node: AudioWorkletNode,
    readonly rate_hz: number,
    readonly frames: number,
  ) {}

  /** @throws {Failure} where browsers keep audio threads for safer addresses */
  static async start(rate_hz: number, frames: number, onReport: (report: Report, at_secs: number) => void): Promise<AudioThread> {
    // A mixer may answer a little later, where the sound would break off otherwise; the playhead knows of it.
    const context = new AudioContext({ sampleRate: rate_hz, latencyHint: LATENCY_SECS })
    if (!context.audioWorklet) {
      throw new Failure(
        'Browsers play stems only from this machine or over https. Open the studio at localhost, or put it behind https.',
        'insecure',
        0,
        undefined,
      )
    }
    await context.audioWorklet.addModule(engineUrl)
    const node = new AudioWorkletNode(context, 'stem-player', { numberOfInputs: 0, outputChannelCount: [2] })
    node.port.onmessage = ({ data }: MessageEvent<Message>) => data.type === 'report' && onReport(data, data.at_secs)
    node.connect(context.destination)
    return new AudioThread(context, node, rate_hz, frames)
  }

  say(command: Command, transfer: Transferable[] = []): void {
    this.node.port.postMessage(command, transfer)
  }

  /** The moment of the audio thread's time that is heard now. It renders some way ahead, and in bursts. */
  get heard_secs(): number {
    const { contextTime = 0, performanceTime = 0 } = this.context.getOutputTimestamp()
    if (performanceTime > 0) return contextTime + (performance.now() - performanceTime) / 1000
    return this.context.currentTime - (this.context.outputLatency || this.context.baseLatency || 0)
  }

  /** Some frames of a channel, which only the audio thread has. */
  copy(channel: number, start: number, frames: number): Promise<Copied> {
    const { port } = this.node
    this.#copies += 1
    const request: CopyRequest = { type: 'copy', id: this.#copies, channel, start, frames }
    return new Promise((resolve) => {
      const listen = ({ data }: MessageEvent<Message>) => {
        if (data.type !== 'copied' || data.id !== request.id) return
        port.removeEventListener('message', listen)
        resolve(data)
      }
      port.addEventListener('message', listen)
      port.postMessage(request)
    })
  }

  /** The samples of some channels together, for who looks at them that closely. */
  async peek(channels: number, start_secs: number, span_secs: number): Promise<Samples> {
    const { rate_hz } = this
    const start = Math.floor(start_secs * rate_hz)
    const count = Math.ceil(span_secs * rate_hz)
    const values = new Float32Array(count)
    const copies = Array.from({ length: channels }, (_, channel) => this.copy(channel, start, count))
    for (const { left, right } of await Promise.all(copies)) {
      for (const [at, sample] of left.entries()) values[at] = (values[at] ?? 0) + (sample + (right[at] ?? 0)) / 65_536
    }
    return { start_secs: start / rate_hz, rate_hz, values }
  }

  close(): void {
    this.node.disconnect()
    void this.context.close()
  }
}
