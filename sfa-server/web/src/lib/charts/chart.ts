/** What stands in a picture, as text. */
export interface Table {
  head: string[]
  rows: string[][]
}

/** Draws a picture over time; `x` turns seconds into pixels. */
export type Draw = (context: CanvasRenderingContext2D, width: number, height: number, x: (secs: number) => number) => void

const MOST_ROWS = 48

/** Evenly chosen ones of too many. */
export function thinned<T>(items: readonly T[]): T[] {
  if (items.length <= MOST_ROWS) return [...items]
  const step = items.length / MOST_ROWS
  return Array.from({ length: MOST_ROWS }, (_, at) => items[Math.floor(at * step)] as T)
}
