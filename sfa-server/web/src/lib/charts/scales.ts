import { scaleLinear } from 'd3-scale'
import { area, line } from 'd3-shape'
import type { Curve } from '$lib/api/analysis'

const GRID = '#364153'
const TEXT = '#9aa4b5'
const FONT = '10px "Inter Variable", sans-serif'

/** The value of a curve at a moment. */
export function valueAt(curve: Curve, at_secs: number): number | undefined {
  return curve.values[Math.min(curve.values.length - 1, Math.max(0, Math.floor(at_secs / curve.hop_secs)))]
}

/** Draws a few lines across with their values. */
export function drawScale(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  domain: [number, number],
  text: (value: number) => string,
): void {
  const y = scaleLinear(domain, [height, 0])
  context.font = FONT
  context.textBaseline = 'bottom'
  for (const value of y.ticks(3)) {
    if (y(value) < 12) continue
    context.fillStyle = GRID
    context.fillRect(0, Math.round(y(value)), width, 1)
    context.fillStyle = TEXT
    context.fillText(text(value), 2, y(value))
  }
}

/** Draws a curve, filled down to the ground where `fill` is given. */
export function drawCurve(
  context: CanvasRenderingContext2D,
  curve: Curve,
  box: { height: number; x: (secs: number) => number; domain: [number, number] },
  style: { stroke: string; fill?: string },
): void {
  const y = scaleLinear(box.domain, [box.height, 1]).clamp(true)
  const x = (_: number, at: number) => box.x(at * curve.hop_secs)
  if (style.fill) {
    context.fillStyle = style.fill
    context.beginPath()
    area<number>().x(x).y0(box.height).y1(y).context(context)(curve.values)
    context.fill()
  }
  context.strokeStyle = style.stroke
  context.lineWidth = 1.5
  context.beginPath()
  line<number>().x(x).y(y).context(context)(curve.values)
  context.stroke()
}
