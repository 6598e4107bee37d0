/** As much of a canvas as pictures need; the same strokes make an SVG. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | 'fillStyle'
  | 'strokeStyle'
  | 'lineWidth'
  | 'font'
  | 'textAlign'
  | 'textBaseline'
  | 'fillRect'
  | 'fillText'
  | 'measureText'
  | 'beginPath'
  | 'moveTo'
  | 'lineTo'
  | 'closePath'
  | 'arc'
  | 'fill'
  | 'stroke'
>

/** What stands in a picture, as text. */
export interface Table {
  head: string[]
  rows: string[][]
}

/** What a colour means. */
export interface Meaning {
  colour: string
  name: string
}

interface Shown {
  title: string
  height: number
  table: Table
  legend?: Meaning[]
  /** A sentence below. */
  note?: string
}

/** Draws a picture over time; `x` turns seconds into pixels. */
export type Draw = (pen: Pen, width: number, height: number, x: (secs: number) => number) => void

/** A picture over time. */
export interface TimePicture extends Shown {
  draw: Draw
  /** What there is at a moment, in words. */
  readout: (at_secs: number) => string
}

/** A picture of a few values, each of which can be chosen. */
export interface ItemPicture extends Shown {
  items: readonly { name: string; text: string }[]
  draw: (pen: Pen, width: number, height: number, chosen: number | null) => void
  /** Which item is at a place; null where there is none. */
  pick: (x: number, y: number, width: number, height: number) => number | null
}

export const COLOURS = {
  page: '#030712',
  panel: '#101828',
  card: '#1e2939',
  line: '#364153',
  edge: '#7c8698',
  text: '#f3f4f6',
  soft: '#b4bcc9',
  muted: '#9aa4b5',
  brand: '#c27aff',
  primary: '#9810fa',
  success: '#05df72',
  warning: '#ffb900',
  error: '#ff6467',
  info: '#51a2ff',
  vocals: '#56b4e9',
  drums: '#009e73',
  bass: '#d55e00',
  other: '#cc79a7',
  guitar: '#e69f00',
  piano: '#f0e442',
} as const

export const SMALL_FONT = '10px "Inter Variable", sans-serif'
export const LABEL_FONT = '600 11px "Inter Variable", sans-serif'

const MOST_ROWS = 48

/** Evenly chosen ones of too many. */
export function thinned<T>(items: readonly T[]): T[] {
  if (items.length <= MOST_ROWS) return [...items]
  const step = items.length / MOST_ROWS
  return Array.from({ length: MOST_ROWS }, (_, at) => items[Math.floor(at * step)] as T)
}

/** A colour of the theme, as see-through as wanted. */
export function faint(colour: string, opacity: number): string {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
  return `rgb(${red} ${green} ${blue} / ${opacity.toFixed(3)})`
}

/** Writes a text where it has room. */
export function label(pen: Pen, text: string, left: number, right: number, y: number): void {
  if (right - left >= pen.measureText(text).width + 8) pen.fillText(text, left + 4, y)
}

/** What lies around a moment, of stretches that follow each other. */
export function around<T extends { start_secs: number; end_secs: number }>(stretches: readonly T[], secs: number): T | undefined {
  return stretches.find(({ start_secs, end_secs }) => secs >= start_secs && secs < end_secs)
}

/** A number with one decimal and its unit. */
export function decimal(value: number | null | undefined, unit = ''): string {
  return value == null ? '' : `${value.toFixed(1).replace('-', '−')} ${unit}`.trim()
}
