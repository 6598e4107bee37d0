import type { View } from './peaks'

/** Draws a stretch of a song onto a picture of a size in CSS pixels. */
export type DrawStretch = (context: CanvasRenderingContext2D, view: View, width: number, height: number) => void

/** Which tiles are seen, and from where in the song their places are counted. */
export interface Shown {
  pixelsPerSec: number
  anchor_px: number
  first: number
  last: number
}

export const TILE_PX = 512
/** Places are counted anew after so many pixels: far from where they are counted browsers are not exact. */
export const REACH_PX = 4 * TILE_PX
const MOST_TILES = 24

/**
 * Pictures of stretches of a song at one zoom: drawn once, and then only moved, together with the strip that they lie on,
 * which is all that there is time for in a frame.
 */
export class Tiles {
  #tiles = new Map<number, HTMLCanvasElement>()
  #zoom = ''

  constructor(
    private readonly draw: DrawStretch,
    private readonly height: number,
  ) {}

  /** Lays what is seen onto the strip, and draws what of it is new. */
  show(strip: HTMLElement, { pixelsPerSec, anchor_px, first, last }: Shown): void {
    const scale = window.devicePixelRatio || 1
    const zoom = `${pixelsPerSec} ${scale}`
    if (zoom !== this.#zoom) this.#tiles.clear()
    this.#zoom = zoom
    const shown: HTMLCanvasElement[] = []
    for (let index = first; index <= last; index += 1) {
      const tile = this.#tile(index, pixelsPerSec, scale)
      tile.style.left = `${index * TILE_PX - anchor_px}px`
      shown.push(tile)
    }
    for (const child of [...strip.children]) if (!shown.includes(child as HTMLCanvasElement)) child.remove()
    for (const tile of shown) if (tile.parentElement !== strip) strip.append(tile)
  }

  #tile(index: number, pixelsPerSec: number, scale: number): HTMLCanvasElement {
    const known = this.#tiles.get(index)
    if (known) return known
    const tile = document.createElement('canvas')
    tile.width = Math.round(TILE_PX * scale)
    tile.height = Math.round(this.height * scale)
    tile.style.cssText = `position: absolute; top: 0; width: ${TILE_PX}px; height: ${this.height}px`
    const context = tile.getContext('2d')
    context?.setTransform(scale, 0, 0, scale, 0, 0)
    const view = { start_secs: (index * TILE_PX) / pixelsPerSec, span_secs: TILE_PX / pixelsPerSec }
    if (context) this.draw(context, view, TILE_PX, this.height)
    this.#tiles.set(index, tile)
    const [oldest] = this.#tiles.keys()
    if (this.#tiles.size > MOST_TILES && oldest !== undefined) this.#tiles.delete(oldest)
    return tile
  }
}
