/** How one channel is set. */
export interface Strip {
  /** 0 to 1 on the fader. */
  volume: number
  isMuted: boolean
  isSoloed: boolean
}

/** The gain of each channel: soloed ones are heard alone, muted ones never. */
export function gains(strips: readonly Strip[]): number[] {
  const isSolo = strips.some(({ isSoloed }) => isSoloed)
  return strips.map((strip) => (strip.isMuted || (isSolo && !strip.isSoloed) ? 0 : strip.volume))
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
