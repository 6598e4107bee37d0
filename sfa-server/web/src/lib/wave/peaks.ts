import type { WaveLevel } from '$lib/api/analysis'

/** What one column of pixels shows: -1..1 for the extremes, 0..1 for the bands. */
export interface Column {
  min: number
  max: number
  low: number
  mid: number
  high: number
}

/** The coarsest level that still has a point for every pixel, else the finest. */
export function levelFor(levels: readonly WaveLevel[], framesPerPixel: number): WaveLevel | undefined {
  const fine = [...levels].sort((a, b) => b.frames_per_point - a.frames_per_point)
  return fine.find((level) => level.frames_per_point <= framesPerPixel) ?? fine.at(-1)
}

/** The extremes of all points that lie within a column, so that no peak is lost by zooming out. */
export function column(level: WaveLevel, startFrame: number, endFrame: number): Column {
  const last = level.min.length - 1
  const from = Math.min(last, Math.max(0, Math.floor(startFrame / level.frames_per_point)))
  const to = Math.min(last, Math.max(from, Math.ceil(endFrame / level.frames_per_point) - 1))
  const found: Column = { min: 0, max: 0, low: 0, mid: 0, high: 0 }
  if (startFrame < 0 || startFrame >= level.min.length * level.frames_per_point) return found
  for (let at = from; at <= to; at += 1) {
    found.min = Math.min(found.min, (level.min[at] ?? 0) / 128)
    found.max = Math.max(found.max, (level.max[at] ?? 0) / 128)
    found.low = Math.max(found.low, (level.low[at] ?? 0) / 255)
    found.mid = Math.max(found.mid, (level.mid[at] ?? 0) / 255)
    found.high = Math.max(found.high, (level.high[at] ?? 0) / 255)
  }
  return found
}

/** A stretch of a song that is looked at. */
export interface View {
  start_secs: number
  span_secs: number
}

/** A second is as near as measured peaks are worth looking at; with the samples themselves it goes on to single ones. */
export const LEAST_SPAN_SECS = { peaks: 1, samples: 0.002 } as const

/** Zooms about a place, which stays where it is on the screen. */
export function zoomed(view: View, factor: number, about_secs: number, duration_secs: number, least_secs: number = LEAST_SPAN_SECS.peaks): View {
  const span_secs = Math.min(duration_secs, Math.max(least_secs, view.span_secs * factor))
  const share = (about_secs - view.start_secs) / view.span_secs
  return within({ start_secs: about_secs - share * span_secs, span_secs }, duration_secs)
}

const PLAYHEAD_SHARE = 0.4

/** Keeps the playhead where it is on the screen while the song runs past it. */
export function following(view: View, position_secs: number, duration_secs: number): View {
  return within({ ...view, start_secs: position_secs - view.span_secs * PLAYHEAD_SHARE }, duration_secs)
}

export function within(view: View, duration_secs: number): View {
  const start_secs = Math.max(0, Math.min(view.start_secs, duration_secs - view.span_secs))
  return { ...view, start_secs }
}

/** A place on the screen as screens can show it: what moves by less has not moved. */
export function toPixel(x: number): number {
  const scale = window.devicePixelRatio || 1
  return Math.round(x * scale) / scale
}

/** A moment as clocks tell it, which change ten times a second and not sixty. */
export function tenths(secs: number): number {
  return Math.floor(secs * 10) / 10
}
