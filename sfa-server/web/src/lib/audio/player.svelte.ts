import { api, Failure, take, type Song, type Stem } from '$lib/api/client'
import { decode } from './decode'
import type { Command, Report } from './engine'
import engineUrl from './engine.worklet?worker&url'
import { gains, withSolo, type Strip } from './mix'

/** A stretch in seconds, and what it is called. */
export interface NamedLoop {
  start_secs: number
  end_secs: number
  name: string
}

/** A stem, or the song itself where there are none. */
export interface PlayerChannel extends Strip {
  kind: string
  url: string
}

/** Meters fall by so much a report. */
const METER_FALL = 0.85
const workspaceKey = (id: string) => `sfa.workspace.${id}`
/** The usual order on a mixer; what is not named comes after. */
const ORDER = ['vocals', 'drums', 'bass', 'guitar', 'piano', 'other']

class Player {
  song = $state.raw<Song | null>(null)
  channels = $state.raw<PlayerChannel[]>([])
  peaks = $state.raw<number[]>([])
  isPlaying = $state(false)
  isWaiting = $state(false)
  /** 0 to 1: how much has come and was decoded. */
  loaded = $state(0)
  position_secs = $state(0)
  duration_secs = $state(0)
  loop = $state.raw<NamedLoop | null>(null)
  failure = $state.raw<Failure | null>(null)

  #context: AudioContext | null = null
  #node: AudioWorkletNode | null = null
  #rate_hz = 0
  #loading: AbortController | null = null
  #heard: { frame: number; at_ms: number } = { frame: 0, at_ms: 0 }
  #animation = 0

  /** What can be heard of a song: its stems, or itself. */
  async open(song: Song): Promise<void> {
    if (this.song?.id === song.id && !this.failure) return
    this.close()
    const loading = new AbortController()
    this.#loading = loading
    this.song = song
    this.duration_secs = (song.duration_ms ?? 0) / 1000
    try {
      const { data } = await take(api.GET('/api/v1/tracks/{id}/stems', { params: { path: { id: song.id } } }))
      if (loading.signal.aborted) return
      this.channels = restored(song.id, data.length > 0 ? data.sort(byOrder).map(asChannel) : [whole(song)])
      await this.#load(loading.signal)
    } catch (cause) {
      if (!loading.signal.aborted) this.failure = Failure.from(cause)
    }
  }

  close(): void {
    this.#loading?.abort()
    this.#loading = null
    cancelAnimationFrame(this.#animation)
    this.#node?.disconnect()
    this.#node = null
    void this.#context?.close()
    this.#context = null
    this.song = null
    this.channels = []
    this.peaks = []
    this.isPlaying = false
    this.isWaiting = false
    this.loaded = 0
    this.position_secs = 0
    this.duration_secs = 0
    this.loop = null
    this.failure = null
  }

  /** Decodes all channels side by side; the first seconds of each can be heard before the last ones came. */
  async #load(signal: AbortSignal): Promise<void> {
    const filled = this.channels.map(() => 0)
    let started: Promise<number> | null = null
    const loads = this.channels.map(async (channel, index) => {
      const response = await fetch(channel.url, { signal })
      if (!response.ok || !response.body) throw Failure.ofBody(await response.json(), response.status)
      const parts = decode(response.body, ({ sampleRate_hz, frames }) => {
        started ??= this.#start(sampleRate_hz, frames, signal)
      })
      for await (const { start, left, right } of parts) {
        const frames = await started
        if (signal.aborted || !frames) return
        filled[index] = Math.min(1, (start + left.length) / frames)
        this.#say({ type: 'fill', channel: index, start, left, right }, [left.buffer, right.buffer])
        this.loaded = Math.min(...filled)
      }
    })
    await Promise.all(loads)
  }

  /** The audio thread runs at the rate of the files, so that nothing is resampled. Returns the frames of the song. */
  async #start(rate_hz: number, frames: number, signal: AbortSignal): Promise<number> {
    const context = new AudioContext({ sampleRate: rate_hz, latencyHint: 'interactive' })
    if (!context.audioWorklet) {
      throw new Failure(
        'Browsers play stems only from this machine or over https. Open the studio at localhost, or put it behind https.',
        'insecure',
        0,
        undefined,
      )
    }
    this.#context = context
    await context.audioWorklet.addModule(engineUrl)
    if (signal.aborted) return 0
    const node = new AudioWorkletNode(context, 'stem-player', { numberOfInputs: 0, outputChannelCount: [2] })
    node.port.onmessage = ({ data }: MessageEvent<Report>) => this.#hear(data)
    node.connect(context.destination)
    this.#node = node
    this.#rate_hz = rate_hz
    this.duration_secs = frames / rate_hz
    this.#say({ type: 'load', frames, channels: this.channels.length })
    this.#sendGains()
    if (this.position_secs > 0) this.seek(this.position_secs)
    if (this.loop) this.#sendLoop()
    if (this.isPlaying) this.play()
    return frames
  }

  #say(command: Command, transfer: Transferable[] = []): void {
    this.#node?.port.postMessage(command, transfer)
  }

  #hear({ frame, isPlaying, isWaiting, peaks }: Report): void {
    this.#heard = { frame, at_ms: performance.now() }
    this.isWaiting = isWaiting
    if (this.isPlaying !== isPlaying) {
      this.isPlaying = isPlaying
      if (isPlaying) this.#animate()
    }
    this.peaks = peaks.map((peak, at) => Math.max(peak, (this.peaks[at] ?? 0) * METER_FALL))
    if (!isPlaying || isWaiting) this.position_secs = frame / this.#rate_hz
  }

  /** Between two reports the clock of the page tells how far it is. */
  #animate(): void {
    cancelAnimationFrame(this.#animation)
    const step = () => {
      if (!this.isPlaying) return
      if (!this.isWaiting && this.#node) {
        const since_secs = (performance.now() - this.#heard.at_ms) / 1000
        const latency_secs = this.#context?.outputLatency || this.#context?.baseLatency || 0
        let now_secs = this.#heard.frame / this.#rate_hz + Math.min(since_secs, 0.1) - latency_secs
        if (this.loop && now_secs < this.loop.start_secs && this.position_secs > this.loop.start_secs) {
          // What is heard is still the end of the loop.
          now_secs += this.loop.end_secs - this.loop.start_secs
        }
        this.position_secs = Math.min(Math.max(0, now_secs), this.duration_secs)
      }
      this.#animation = requestAnimationFrame(step)
    }
    this.#animation = requestAnimationFrame(step)
  }

  play(): void {
    this.isPlaying = true
    void this.#context?.resume()
    this.#say({ type: 'play' })
    this.#animate()
  }

  pause(): void {
    this.isPlaying = false
    this.#say({ type: 'pause' })
  }

  toggle(): void {
    if (this.isPlaying) this.pause()
    else this.play()
  }

  seek(to_secs: number): void {
    this.position_secs = Math.min(Math.max(0, to_secs), this.duration_secs)
    this.#say({ type: 'seek', frame: this.position_secs * this.#rate_hz })
  }

  setLoop(loop: NamedLoop | null): void {
    this.loop = loop
    this.#sendLoop()
    const isOutside = loop && (this.position_secs < loop.start_secs || this.position_secs >= loop.end_secs)
    if (isOutside) this.seek(loop.start_secs)
  }

  #sendLoop(): void {
    const frame = (secs: number) => Math.round(secs * this.#rate_hz)
    const loop = this.loop && { start: frame(this.loop.start_secs), end: frame(this.loop.end_secs) }
    this.#say({ type: 'loop', loop: loop && loop.end > loop.start ? loop : null })
  }

  setVolume(at: number, volume: number): void {
    this.#setStrips(this.channels.map((strip, index) => (index === at ? { ...strip, volume } : strip)))
  }

  toggleMute(at: number): void {
    this.#setStrips(
      this.channels.map((strip, index) => (index === at ? { ...strip, isMuted: !strip.isMuted } : strip)),
    )
  }

  toggleSolo(at: number, isAlone: boolean): void {
    this.#setStrips(withSolo(this.channels, at, isAlone))
  }

  /** All channels as they were made. */
  reset(): void {
    this.#setStrips(this.channels.map(() => ({ volume: 1, isMuted: false, isSoloed: false })))
  }

  #setStrips(strips: readonly Strip[]): void {
    this.channels = this.channels.map((channel, at) => ({ ...channel, ...strips[at] }))
    this.#sendGains()
    if (!this.song) return
    const workspace = Object.fromEntries(
      this.channels.map(({ kind, volume, isMuted, isSoloed }) => [kind, { volume, isMuted, isSoloed }]),
    )
    localStorage.setItem(workspaceKey(this.song.id), JSON.stringify(workspace))
  }

  #sendGains(): void {
    for (const [channel, gain] of gains(this.channels).entries()) this.#say({ type: 'gain', channel, gain })
  }
}

function asChannel(stem: Stem): PlayerChannel {
  const kind = stem.take ? `${stem.take} ${stem.kind}` : stem.kind
  return { kind, url: stem.file.url, volume: 1, isMuted: false, isSoloed: false }
}

function whole(song: Song): PlayerChannel {
  return { kind: 'song', url: song.file.url, volume: 1, isMuted: false, isSoloed: false }
}

function byOrder(a: Stem, b: Stem): number {
  const rank = ({ kind }: Stem) => (ORDER.indexOf(kind) + ORDER.length + 1) % (ORDER.length + 1)
  return rank(a) - rank(b)
}

/** The mixer as it was left. */
function restored(id: string, channels: PlayerChannel[]): PlayerChannel[] {
  try {
    const workspace = JSON.parse(localStorage.getItem(workspaceKey(id)) ?? '{}') as Record<string, Partial<Strip>>
    return channels.map((channel) => {
      const { volume, isMuted, isSoloed } = workspace[channel.kind] ?? {}
      const isVolume = typeof volume === 'number' && volume >= 0 && volume <= 1
      return {
        ...channel,
        volume: isVolume ? volume : 1,
        isMuted: isMuted === true,
        isSoloed: isSoloed === true,
      }
    })
  } catch {
    return channels
  }
}

/** What is heard. */
export const player = new Player()
