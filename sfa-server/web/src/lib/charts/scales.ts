import { scaleLinear } from 'd3-scale'
import { area, line } from 'd3-shape'
import type { Curve } from '$lib/api/analysis'
import { COLOURS, SMALL_FONT, type Pen } from './chart'

/** The value of a curve at a moment. */
export function valueAt(curve: Curve, at_secs: number): number | undefined {
  return curve.values[Math.min(curve.values.length - 1, Math.max(0, Math.floor(at_secs / curve.hop_secs)))]
}

/** Draws a few lines across with their values. */
export function drawScale(pen: Pen, width: number, height: number, domain: [number, number], text: (value: number) => string): void {
  const y = scaleLinear(domain, [height, 0])
  pen.font = SMALL_FONT
  pen.textBaseline = 'bottom'
  for (const value of y.ticks(3)) {
    if (y(value) < 12) continue
    pen.fillStyle = COLOURS.line
    pen.fillRect(0, Math.round(y(value)), width, 1)
    pen.fillStyle = COLOURS.muted
    pen.fillText(text(value), 2, y(value))
  }
}

/** Draws a curve, filled down to the ground where `fill` is given. */
export function drawCurve(
  pen: Pen,
  curve: Curve,
  box: { height: number; x: (secs: number) => number; domain: [number, number] },
  style: { stroke: string; fill?: string },
): void {
  const y = scaleLinear(box.domain, [box.height, 1]).clamp(true)
  const x = (_: number, at: number) => box.x(at * curve.hop_secs)
  // Straight lines need no more than a pen can do.
  const path = pen as CanvasRenderingContext2D
  if (style.fill) {
    pen.fillStyle = style.fill
    pen.beginPath()
    area<number>().x(x).y0(box.height).y1(y).context(path)(curve.values)
    pen.fill()
  }
  pen.strokeStyle = style.stroke
  pen.lineWidth = 1.5
  pen.beginPath()
  line<number>().x(x).y(y).context(path)(curve.values)
  pen.stroke()
}
