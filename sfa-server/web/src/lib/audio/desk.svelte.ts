import type { Command } from './engine'
import { gains, PLAIN, withSolo, type Listening, type Strip } from './mix'
import type { Source } from './sources'
import { FASTEST, MOST_SEMITONES, SLOWEST } from './workspace'

/** A source and how its channel is set. */
export type PlayerChannel = Source & Strip

const CLICK_GAIN = 0.5

/** Everything that is set by hand; whoever listens is told of every change. */
export abstract class Desk {
  channels = $state.raw<PlayerChannel[]>([])
  listening = $state<Listening>('mix')
  /** 1 is as recorded. */
  speed = $state(1)
  semitones = $state(0)
  /** How loud the click on the beats is; 0 is off. */
  click = $state(0)
  countInBars = $state(0)
  volume = $state(1)
  isMuted = $state(false)

  /** Called after every change. */
  protected abstract changed(): void

  /** How everything is set that makes a sound, for an engine that knows nothing yet. */
  protected settings(): Command[] {
    const levels = this.channels.map(({ level }) => level)
    const mix = gains(this.channels, this.channels.length > 1 ? this.listening : 'mix', levels)
    return [
      ...mix.map((gain, channel): Command => ({ type: 'gain', channel, gain })),
      { type: 'master', gain: this.isMuted ? 0 : this.volume },
      { type: 'click', gain: CLICK_GAIN * (this.click || 1), isOn: this.click > 0 },
      { type: 'tempo', speed: this.speed, semitones: this.semitones },
    ]
  }

  setSpeed(speed: number): void {
    this.speed = Math.min(Math.max(speed, SLOWEST), FASTEST)
    this.changed()
  }

  setSemitones(semitones: number): void {
    this.semitones = Math.min(Math.max(Math.round(semitones), -MOST_SEMITONES), MOST_SEMITONES)
    this.changed()
  }

  /** At the speed and the pitch that the song has. */
  asRecorded(): void {
    this.speed = 1
    this.semitones = 0
    this.changed()
  }

  setClick(click: number): void {
    this.click = Math.min(Math.max(click, 0), 1)
    this.changed()
  }

  setCountIn(bars: number): void {
    this.countInBars = bars
    this.changed()
  }

  setMaster(volume: number): void {
    this.volume = Math.min(Math.max(volume, 0), 1)
    this.isMuted = false
    this.changed()
  }

  toggleMaster(): void {
    this.isMuted = !this.isMuted
    this.changed()
  }

  /** Compares; what is compared is made equally loud. */
  listen(listening: Listening): void {
    this.listening = listening
    this.changed()
  }

  setStrip(at: number, change: Partial<Strip>): void {
    this.#setStrips(this.channels.map((strip, index) => (index === at ? { ...strip, ...change } : strip)))
  }

  toggleMute(at: number): void {
    this.setStrip(at, { isMuted: !this.channels[at]?.isMuted })
  }

  toggleSolo(at: number, isAlone: boolean): void {
    this.#setStrips(withSolo(this.channels, at, isAlone))
  }

  /** All channels as they were made. */
  reset(): void {
    this.#setStrips(this.channels.map(() => PLAIN))
  }

  /** Whoever moves a fader wants to hear it. */
  #setStrips(strips: readonly Strip[]): void {
    this.channels = this.channels.map((channel, at) => ({ ...channel, ...strips[at] }))
    this.listening = 'mix'
    this.changed()
  }
}
