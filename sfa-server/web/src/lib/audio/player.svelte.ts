import { analysisOf, type Analysis } from '$lib/api/analysis'
import { Failure, type Song } from '$lib/api/client'
import { Desk } from './desk.svelte'
import type { Command, CountIn, Report } from './engine'
import { Grid } from './grid'
import { PLAIN, type Strip } from './mix'
import { partsOf, sourcesOf } from './sources'
import { AudioThread, type Samples } from './thread'
import { FRESH, keep, restore, type NamedLoop } from './workspace'

export type { NamedLoop } from './workspace'

/** All that moves beside the waveform does so at once, so often: each of these frames is drawn nearly whole. */
const SHOWN_EVERY_MS = 45
/** More than it takes from an order to what is heard of it. */
const MOST_LATENCY_MS = 300
/** Meters fall by so much each time, */
const METER_FALL = 0.78
/** to nothing below this. */
const METER_FLOOR = 0.001

class Player extends Desk {
  song = $state.raw<Song | null>(null)
  /** Meters: of every channel, and of both sides of what is heard. */
  peaks = $state.raw<number[]>([])
  out = $state.raw<[number, number]>([0, 0])
  isPlaying = $state(false)
  isWaiting = $state(false)
  isCountingIn = $state(false)
  /** 0 to 1: how much has come and was decoded. */
  loaded = $state(0)
  position_secs = $state(0)
  /** The same as clocks and small pictures show it. */
  shown_secs = $state(0)
  duration_secs = $state(0)
  loop = $state.raw<NamedLoop | null>(null)
  /** Where a loop is to begin that has no end yet. */
  loopStart_secs = $state<number | null>(null)
  analysis = $state.raw<Analysis | null>(null)
  grid = $state.raw(new Grid(null))
  failure = $state.raw<Failure | null>(null)

  #thread: AudioThread | null = null
  #loading: AbortController | null = null
  /** The highest samples since meters were shown. */
  #loudest: Pick<Report, 'peaks' | 'out'> = { peaks: [], out: [0, 0] }
  /** What will be heard, or was, at a moment of the audio thread's time. */
  #heard = { frame: 0, at_secs: 0 }
  #orders = 0
  /** Where it goes on from, and until when what is heard may still be from before. */
  #going = { from_secs: 0, until_ms: 0 }
  #animation = 0
  #lastLoop: NamedLoop | null = null
  #isOriginalWanted = false
  #isStretcherWanted = false
  #isLearning = false

  /** Opens a song with its stems, as it was left. */
  async open(song: Song): Promise<void> {
    if (this.song?.id === song.id && !this.failure) return
    this.close()
    const loading = new AbortController()
    this.#loading = loading
    this.song = song
    this.duration_secs = (song.duration_ms ?? 0) / 1000
    const left = restore(song.id)
    Object.assign(this, { loop: left.loop, speed: left.speed, semitones: left.semitones, click: left.click, countInBars: left.countInBars })
    try {
      const sources = await sourcesOf(song)
      if (loading.signal.aborted) return
      this.channels = sources.map((source) => ({ ...source, ...(left.strips[source.kind] ?? PLAIN) }))
      void this.learn(song)
      await this.#load(loading.signal)
    } catch (cause) {
      if (!loading.signal.aborted) this.failure = Failure.from(cause)
    }
  }

  /** Finds out where the beats are, as soon as they were found. */
  async learn(song: Song): Promise<void> {
    if (!song.analysis || this.analysis || this.#isLearning) return
    this.#isLearning = true
    const analysis = await analysisOf(song.id).catch(() => null)
    this.#isLearning = false
    if (!analysis || this.song?.id !== song.id) return
    this.analysis = analysis
    this.grid = new Grid(analysis.rhythm)
    this.#sendBeats()
  }

  close(): void {
    this.#loading?.abort()
    this.#loading = null
    cancelAnimationFrame(this.#animation)
    this.#thread?.close()
    this.#thread = null
    this.#isOriginalWanted = false
    this.#isStretcherWanted = false
    this.#lastLoop = null
    const { speed, semitones, click, countInBars } = FRESH
    Object.assign(this, { song: null, channels: [], peaks: [], out: [0, 0], isPlaying: false, isWaiting: false, isCountingIn: false })
    Object.assign(this, { loaded: 0, position_secs: 0, shown_secs: 0, duration_secs: 0, loop: null, loopStart_secs: null, listening: 'mix' })
    Object.assign(this, { speed, semitones, click, countInBars, analysis: null, grid: new Grid(null), failure: null })
  }

  /** Decodes all channels side by side; the first seconds of each can be heard before the last ones came. */
  async #load(signal: AbortSignal): Promise<void> {
    const filled = this.channels.map(() => 0)
    let started: Promise<AudioThread | null> | null = null
    const loads = this.channels.map(async ({ url }, index) => {
      const parts = partsOf(url, signal, ({ sampleRate_hz, frames }) => {
        started ??= this.#start(sampleRate_hz, frames, signal)
      })
      for await (const { start, left, right } of parts) {
        const thread = await started
        if (signal.aborted || !thread) return
        filled[index] = Math.min(1, (start + left.length) / thread.frames)
        thread.say({ type: 'fill', channel: index, start, left, right }, [left.buffer, right.buffer])
        this.loaded = Math.min(...filled)
      }
    })
    await Promise.all(loads)
  }

  async #start(rate_hz: number, frames: number, signal: AbortSignal): Promise<AudioThread | null> {
    const thread = await AudioThread.start(rate_hz, frames, (report, at_secs) => this.#hear(report, at_secs))
    if (signal.aborted) {
      thread.close()
      return null
    }
    this.#thread = thread
    this.#orders = 0
    this.duration_secs = frames / rate_hz
    // After the stems there is room for the song as it came.
    thread.say({ type: 'load', frames, channels: this.channels.length + 1 })
    for (const command of this.settings()) thread.say(command)
    this.#sendBeats()
    this.#wantStretcher()
    if (this.position_secs > 0) this.seek(this.position_secs)
    if (this.loop) this.#sendLoop()
    if (this.isPlaying) this.play()
    return thread
  }

  protected changed(): void {
    this.#wantStretcher()
    if (this.listening === 'original') void this.#loadOriginal()
    for (const command of this.settings()) this.#thread?.say(command)
    if (!this.song) return
    const { loop, speed, semitones, click, countInBars } = this
    const strips = this.channels.map(({ kind, volume, pan, isMuted, isSoloed }) => [kind, { volume, pan, isMuted, isSoloed }])
    keep(this.song.id, { strips: Object.fromEntries(strips) as Record<string, Strip>, loop, speed, semitones, click, countInBars })
  }

  #sendBeats(): void {
    if (this.#thread) this.#thread.say({ type: 'beats', beats: this.grid.inFrames(this.#thread.rate_hz) })
  }

  #hear({ frame, isPlaying, isWaiting, isCountingIn, orders, peaks, out }: Report, at_secs: number): void {
    // One that has only just begun knows nothing of where to be yet.
    const rate_hz = this.#thread?.rate_hz
    if (!rate_hz) return
    const { peaks: before, out: [left, right] } = this.#loudest
    this.#loudest = { peaks: peaks.map((peak, at) => Math.max(peak, before[at] ?? 0)), out: [Math.max(out[0], left), Math.max(out[1], right)] }
    // A button that showed what was before would be pressed for the opposite.
    if (orders < this.#orders) return
    this.#heard = { frame, at_secs }
    this.isWaiting = isWaiting
    this.isCountingIn = isCountingIn
    if (this.isPlaying !== isPlaying) {
      this.isPlaying = isPlaying
      if (isPlaying) this.#animate()
    }
    if (!isPlaying || isWaiting) this.#place(frame / rate_hz)
  }

  #place(secs: number): void {
    this.position_secs = Math.min(Math.max(0, secs), this.duration_secs)
    this.shown_secs = this.position_secs
  }

  /** Shows where it is and how loud it was; returns whether any meter still falls. */
  #show(): boolean {
    const { peaks, out } = this.#loudest
    this.#loudest = { peaks: [], out: [0, 0] }
    const fallen = (peak: number, before = 0) => Math.max(peak, before * METER_FALL < METER_FLOOR ? 0 : before * METER_FALL)
    this.peaks = this.channels.map((_, at) => fallen(peaks[at] ?? 0, this.peaks[at]))
    this.out = [fallen(out[0], this.out[0]), fallen(out[1], this.out[1])]
    this.shown_secs = this.position_secs
    return [...this.peaks, ...this.out].some((peak) => peak > 0)
  }

  /** Between two reports the clock of the audio device tells how far it is. */
  #animate(): void {
    cancelAnimationFrame(this.#animation)
    let shown_ms = 0
    let isAnySeen = true
    const step = (now_ms: number) => {
      if (!this.isPlaying && !isAnySeen) return
      const thread = this.#thread
      if (thread && this.isPlaying && !this.isWaiting && !this.isCountingIn) {
        const since_secs = Math.min(thread.heard_secs - this.#heard.at_secs, 0.1)
        let now_secs = this.#heard.frame / thread.rate_hz + since_secs * this.speed
        if (this.loop && now_secs < this.loop.start_secs && this.position_secs > this.loop.start_secs) {
          // What is heard is still the end of the loop.
          now_secs += this.loop.end_secs - this.loop.start_secs
        }
        if (now_ms < this.#going.until_ms) now_secs = Math.max(now_secs, this.#going.from_secs)
        this.position_secs = Math.min(Math.max(0, now_secs), this.duration_secs)
      }
      if (now_ms - shown_ms >= SHOWN_EVERY_MS) {
        shown_ms = now_ms
        isAnySeen = this.#show()
      }
      this.#animation = requestAnimationFrame(step)
    }
    this.#animation = requestAnimationFrame(step)
  }

  play(): void {
    this.isPlaying = true
    void this.#thread?.context.resume()
    const countIn = this.#countIn()
    this.#order({ type: 'play', ...(countIn ? { countIn } : {}) })
    this.#animate()
  }

  #countIn(): CountIn | null {
    const next = this.countInBars > 0 && this.#thread ? this.grid.next(this.position_secs) : null
    if (!next || !this.#thread) return null
    const frames = (secs: number) => Math.round((secs * (this.#thread?.rate_hz ?? 0)) / this.speed)
    const perBar = this.grid.beatsPerBar
    const interval = frames(next.interval_secs)
    const lead = frames(next.time_secs - this.position_secs)
    // A long way to the first beat is a part of the song and no pickup.
    return { clicks: perBar * this.countInBars, perBar, interval, lead: lead < interval ? lead : 0 }
  }

  pause(): void {
    this.isPlaying = false
    this.#order({ type: 'pause' })
  }

  toggle(): void {
    if (this.isPlaying) this.pause()
    else this.play()
  }

  seek(to_secs: number): void {
    this.#place(to_secs)
    if (!this.#thread) return
    const frame = this.position_secs * this.#thread.rate_hz
    this.#heard = { frame, at_secs: this.#thread.heard_secs }
    this.#order({ type: 'seek', frame })
  }

  /** Says what earlier reports know nothing of. */
  #order(command: Command): void {
    if (!this.#thread) return
    this.#orders += 1
    this.#going = { from_secs: this.position_secs, until_ms: performance.now() + MOST_LATENCY_MS }
    this.#thread.say(command)
  }

  setLoop(loop: NamedLoop | null): void {
    this.#lastLoop = loop ?? this.loop ?? this.#lastLoop
    this.loop = loop
    this.loopStart_secs = null
    this.#sendLoop()
    this.changed()
    const isOutside = loop && (this.position_secs < loop.start_secs || this.position_secs >= loop.end_secs)
    if (isOutside) this.seek(loop.start_secs)
  }

  /** Leaves the loop, or goes back into the last one. */
  toggleLoop(): void {
    this.setLoop(this.loop ? null : this.#lastLoop)
  }

  get hasLoop(): boolean {
    return this.loop !== null || this.#lastLoop !== null
  }

  /** Sets where a loop begins, on the nearest beat. */
  startLoop(): void {
    const start_secs = this.grid.snap(this.position_secs)
    if (this.loop && start_secs < this.loop.end_secs) this.setLoop({ ...this.loop, start_secs, name: 'A–B' })
    else this.loopStart_secs = start_secs
  }

  /** Sets where it ends, and plays it. */
  endLoop(): void {
    const start_secs = this.loopStart_secs ?? this.loop?.start_secs ?? 0
    const end_secs = this.grid.snap(this.position_secs)
    if (end_secs > start_secs) this.setLoop({ start_secs, end_secs, name: 'A–B' })
  }

  /** Loops so many bars from the one that sounds. */
  loopBars(count: number): void {
    const bars = this.grid.bars(this.position_secs, count)
    if (bars) this.setLoop({ ...bars, name: count === 1 ? '1 bar' : `${count} bars` })
  }

  #sendLoop(): void {
    const frame = (secs: number) => Math.round(secs * (this.#thread?.rate_hz ?? 0))
    this.#thread?.say({ type: 'loop', loop: this.loop && { start: frame(this.loop.start_secs), end: frame(this.loop.end_secs) } })
  }

  /** Fetched by the first one who wants another speed or pitch. */
  #wantStretcher(): void {
    const thread = this.#thread
    if (!thread || this.#isStretcherWanted || (this.speed === 1 && this.semitones === 0)) return
    this.#isStretcherWanted = true
    void import('./stretch.load')
      .then(({ loadStretch }) => loadStretch())
      .then((program) => {
        thread.say({ type: 'stretcher', program })
        this.changed()
      })
      .catch((cause: unknown) => (this.failure = Failure.from(cause)))
  }

  /** The song as it came is fetched by the first one who compares. */
  async #loadOriginal(): Promise<void> {
    const [thread, song, signal] = [this.#thread, this.song, this.#loading?.signal]
    if (!thread || !song || !signal || this.#isOriginalWanted) return
    this.#isOriginalWanted = true
    const channel = this.channels.length
    try {
      for await (const { start, left, right } of partsOf(song.file.url, signal, () => {}, thread.rate_hz)) {
        thread.say({ type: 'fill', channel, start, left, right }, [left.buffer, right.buffer])
      }
    } catch (cause) {
      this.#isOriginalWanted = false
      if (!signal.aborted) this.failure = Failure.from(cause)
    }
  }

  /** The samples of all channels together, for who looks at them that closely. */
  async peek(start_secs: number, span_secs: number): Promise<Samples | null> {
    return this.#thread?.peek(this.channels.length, start_secs, span_secs) ?? null
  }

  /** Renders the mix as it is set, of the loop where there is one. */
  async bounce(): Promise<{ file: Blob; lowered_db: number } | null> {
    if (!this.#thread) return null
    const { renderMix } = await import('./bounce')
    const { loop, grid, speed, semitones } = this
    return renderMix(this.#thread, { channels: this.channels.length + 1, settings: this.settings(), loop, grid, speed, semitones })
  }
}

/** What is heard. */
export const player = new Player()
