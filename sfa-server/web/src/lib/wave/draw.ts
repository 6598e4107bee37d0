import type { Analysis } from '$lib/api/analysis'
import type { Cue } from '$lib/api/client'
import { column, levelFor, type View } from './peaks'

/** The bands of a waveform from the outside in. */
const LOW = '#6d28d9'
const MID = '#a855f7'
const HIGH = '#f0dcff'
const GRID = '#364153'
const DOWNBEAT = '#7c8698'
const TEXT = '#b4bcc9'
const BAND_SHARES = { low: 1, mid: 0.75, high: 0.45 } as const
/** Lines that are nearer to each other than this are a grey area. */
const LEAST_GAP_PX = 7
const LABEL_GAP_PX = 44
const FLAG_PX = 9

/** A canvas made ready to be drawn on in CSS pixels. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const scale = window.devicePixelRatio || 1
  canvas.width = Math.max(1, Math.round(width * scale))
  canvas.height = Math.max(1, Math.round(height * scale))
  const context = canvas.getContext('2d')
  context?.setTransform(scale, 0, 0, scale, 0, 0)
  context?.clearRect(0, 0, width, height)
  return context
}

/** Draws a stretch of the song as one bar for every pixel, in three bands. */
export function drawWave(
  context: CanvasRenderingContext2D,
  analysis: Analysis,
  view: View,
  box: { width: number; top: number; height: number },
): void {
  const { waveform } = analysis
  if (!waveform) return
  const framesPerPixel = (view.span_secs * waveform.sample_rate_hz) / box.width
  const level = levelFor(waveform.levels, framesPerPixel)
  if (!level) return
  const first = view.start_secs * waveform.sample_rate_hz
  const columns = Array.from({ length: Math.ceil(box.width) }, (_, x) =>
    column(level, first + x * framesPerPixel, first + (x + 1) * framesPerPixel),
  )
  const middle = box.top + box.height / 2
  const half = box.height / 2 - 1
  const layers = [
    { colour: LOW, share: (at: (typeof columns)[number]) => Math.max(at.low, 0.5) * BAND_SHARES.low },
    { colour: MID, share: (at: (typeof columns)[number]) => at.mid * BAND_SHARES.mid },
    { colour: HIGH, share: (at: (typeof columns)[number]) => at.high * BAND_SHARES.high },
  ]
  for (const [index, { colour, share }] of layers.entries()) {
    context.fillStyle = colour
    context.beginPath()
    for (const [x, at] of columns.entries()) {
      const part = index === 0 ? 1 : Math.min(1, share(at))
      const top = middle - at.max * half * part
      const bottom = middle - at.min * half * part
      context.rect(x, top, 1, Math.max(1, bottom - top))
    }
    context.fill()
  }
}

/** Draws sections as bands behind. */
export function drawSections(context: CanvasRenderingContext2D, analysis: Analysis, view: View, width: number, height: number): void {
  for (const [index, section] of (analysis.form?.sections ?? []).entries()) {
    const [start, end] = ends(section, view, width)
    const [left, right] = [Math.max(0, start), Math.min(width, end)]
    if (right <= left) continue
    context.fillStyle = index % 2 ? 'rgb(194 122 255 / 0.05)' : 'rgb(194 122 255 / 0.11)'
    context.fillRect(left, 0, right - left, height)
  }
}

export function sectionName({ kind }: { kind: string }): string {
  return kind.replaceAll('_', ' ')
}

/** Writes the names of sections above where they begin, where there is room. */
export function drawSectionNames(context: CanvasRenderingContext2D, analysis: Analysis, view: View, width: number, height: number): void {
  context.font = '600 11px "Inter Variable", sans-serif'
  context.textBaseline = 'middle'
  context.fillStyle = TEXT
  for (const section of analysis.form?.sections ?? []) {
    const [left, right] = ends(section, view, width)
    const name = sectionName(section)
    const name_px = context.measureText(name).width + 12
    // One that begins before may reach in here.
    if (left + name_px > 0 && left < width && right - left > name_px) context.fillText(name, left + 6, height / 2)
  }
}

/** Where a stretch begins and ends in pixels. */
function ends({ start_secs, end_secs }: { start_secs: number; end_secs: number }, view: View, width: number): [number, number] {
  const x = (secs: number) => ((secs - view.start_secs) / view.span_secs) * width
  return [x(start_secs), x(end_secs)]
}

/** Draws the samples themselves, as a line with a dot for each where there is room. */
export function drawSamples(
  context: CanvasRenderingContext2D,
  samples: Float32Array,
  start_secs: number,
  rate_hz: number,
  view: View,
  box: { width: number; top: number; height: number },
): void {
  const middle = box.top + box.height / 2
  const first = Math.max(0, Math.floor((view.start_secs - start_secs) * rate_hz))
  const last = Math.min(samples.length - 1, Math.ceil((view.start_secs + view.span_secs - start_secs) * rate_hz))
  const x = (at: number) => ((start_secs + at / rate_hz - view.start_secs) / view.span_secs) * box.width
  const y = (at: number) => middle - Math.max(-1, Math.min(1, samples[at] ?? 0)) * (box.height / 2 - 1)
  context.strokeStyle = MID
  context.lineWidth = 1.5
  context.beginPath()
  for (let at = first; at <= last; at += 1) context.lineTo(x(at), y(at))
  context.stroke()
  if (x(1) - x(0) < LEAST_GAP_PX) return
  context.fillStyle = HIGH
  for (let at = first; at <= last; at += 1) context.fillRect(x(at) - 1.5, y(at) - 1.5, 3, 3)
}

/** Draws beats and bars, as fine as there is room for. */
export function drawGrid(
  context: CanvasRenderingContext2D,
  analysis: Analysis,
  view: View,
  box: { width: number; top: number; height: number },
): void {
  const beats = analysis.rhythm?.beats ?? []
  const bpm = analysis.rhythm?.tempo?.bpm
  if (!bpm) return
  const beat_px = (60 / bpm / view.span_secs) * box.width
  const bar_px = beat_px * (analysis.rhythm?.meter?.beats_per_bar ?? 4)
  const x = (secs: number) => ((secs - view.start_secs) / view.span_secs) * box.width
  let bar = 0
  const labelled = 2 ** Math.max(0, Math.ceil(Math.log2(LABEL_GAP_PX / bar_px)))
  context.font = '10px "Inter Variable", sans-serif'
  context.textBaseline = 'bottom'
  for (const { time_secs, bar_position } of beats) {
    const isDownbeat = bar_position === 1
    if (isDownbeat) bar += 1
    const at = x(time_secs)
    // The number of a bar may reach into the next picture.
    if (at < -LABEL_GAP_PX || at > box.width || (isDownbeat ? bar_px : beat_px) < LEAST_GAP_PX) continue
    context.fillStyle = isDownbeat ? DOWNBEAT : GRID
    context.globalAlpha = isDownbeat ? 0.7 : 0.6
    context.fillRect(Math.round(at), box.top, 1, box.height)
    context.globalAlpha = 1
    if (isDownbeat && (bar - 1) % labelled === 0) {
      context.fillStyle = TEXT
      context.fillText(String(bar), at + 3, box.top + box.height)
    }
  }
}

/** Draws a flag for every cue, and for a loop a line over as much as it holds. */
export function drawCues(
  context: CanvasRenderingContext2D,
  cues: readonly Cue[],
  view: View,
  box: { width: number; top: number; height: number },
): void {
  for (const { start_ms, end_ms, colour } of cues) {
    const at = (ms: number) => ((ms / 1000 - view.start_secs) / view.span_secs) * box.width
    const [x, end] = [at(start_ms), at(end_ms ?? start_ms)]
    if (end < -FLAG_PX || x > box.width) continue
    context.fillStyle = colour ?? TEXT
    if (end_ms != null) context.fillRect(x, box.top, end - x, 2)
    context.fillRect(Math.round(x), box.top, 2, box.height)
    context.beginPath()
    context.moveTo(x, box.top)
    context.lineTo(x + FLAG_PX, box.top + 5)
    context.lineTo(x, box.top + 10)
    context.fill()
  }
}
