import type { Gain } from './reel'

/** How one channel is set. */
export interface Strip {
  /** 0 to 1 on the fader. */
  volume: number
  /** -1 left, 0 in the middle, 1 right. */
  pan: number
  isMuted: boolean
  isSoloed: boolean
}

/** How loud a channel is on its own, which comparisons are levelled by. */
export interface Level {
  rms: number
  peak: number
}

/** What is listened to: the mixer as it is set, the song as it came, all stems as they are, or one of them. */
export type Listening = 'mix' | 'original' | 'sum' | number

export const PLAIN: Strip = { volume: 1, pan: 0, isMuted: false, isSoloed: false }
const MOST_BOOST = 4

/** The volume of each channel: soloed ones are heard alone, muted ones never. */
export function volumes(strips: readonly Strip[]): number[] {
  const isSolo = strips.some(({ isSoloed }) => isSoloed)
  return strips.map((strip) => (strip.isMuted || (isSolo && !strip.isSoloed) ? 0 : strip.volume))
}

/** A balance and not a pan: in the middle both sides are left as they are, so that stems add up to the song. */
export function panned(volume: number, pan: number): Gain {
  return { left: volume * Math.min(1, 1 - pan), right: volume * Math.min(1, 1 + pan) }
}

/**
 * The gain of each stem, and after them that of the original. What is compared is made as loud as the mix is, as far as
 * that does not make it clip.
 */
export function gains(strips: readonly Strip[], listening: Listening, levels: readonly (Level | undefined)[]): Gain[] {
  const mixed = volumes(strips)
  const silent = { left: 0, right: 0 }
  if (listening === 'mix') return [...strips.map(({ pan }, at) => panned(mixed[at] ?? 0, pan)), silent]
  const isHeard = (at: number) => listening === 'original' || listening === 'sum' || listening === at
  const parts = strips.map((_, at) => (isHeard(at) ? 1 : 0))
  const wanted = loudness(mixed, levels)
  const there = loudness(parts, levels)
  const peak = typeof listening === 'number' ? (levels[listening]?.peak ?? 1) : 1
  const match = wanted > 0 && there > 0 ? Math.min(wanted / there, MOST_BOOST, Math.max(1, 1 / peak)) : 1
  const matched = (is: boolean): Gain => (is ? { left: match, right: match } : silent)
  return [...parts.map((part) => matched(part > 0 && listening !== 'original')), matched(listening === 'original')]
}

/** Stems have little in common: their powers add up. */
function loudness(volumes: readonly number[], levels: readonly (Level | undefined)[]): number {
  return Math.sqrt(volumes.reduce((sum, volume, at) => sum + (volume * (levels[at]?.rms ?? 0)) ** 2, 0))
}

/** Soloes one channel, alone or together with those that are. */
export function withSolo(strips: readonly Strip[], at: number, isAlone: boolean): Strip[] {
  return strips.map((strip, index) => {
    if (index === at) return { ...strip, isSoloed: !strip.isSoloed }
    return isAlone ? { ...strip, isSoloed: false } : strip
  })
}

/** A volume as decibels, in words. */
export function decibels(volume: number): string {
  if (volume <= 0) return 'silent'
  return `${(20 * Math.log10(volume)).toFixed(1).replace('-', '−')} dB`
}

/** A place between left and right, in words. */
export function panName(pan: number): string {
  if (pan === 0) return 'middle'
  return `${Math.round(Math.abs(pan) * 100)} % ${pan < 0 ? 'left' : 'right'}`
}
