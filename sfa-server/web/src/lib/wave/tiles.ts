import type { View } from './peaks'

/** Draws a stretch of a song onto a picture of a size in CSS pixels. */
export type DrawStretch = (context: CanvasRenderingContext2D, view: View, width: number, height: number) => void

const TILE_PX = 512
const MOST_TILES = 24

/**
 * Pictures of stretches of a song at one zoom: drawn once, and then only moved, which is all that there is time for in
 * a frame.
 */
export class Tiles {
  #tiles = new Map<number, HTMLCanvasElement>()
  #zoom = ''

  constructor(
    private readonly draw: DrawStretch,
    private readonly height: number,
  ) {}

  /** Shows what is seen, and draws what of it is new. */
  show(context: CanvasRenderingContext2D, view: View, width: number): void {
    const scale = window.devicePixelRatio || 1
    const pixelsPerSec = width / view.span_secs
    const zoom = `${pixelsPerSec} ${scale}`
    if (zoom !== this.#zoom) this.#tiles.clear()
    this.#zoom = zoom
    const offset = view.start_secs * pixelsPerSec
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, Math.ceil(width * scale), Math.ceil(this.height * scale))
    for (let index = Math.floor(offset / TILE_PX); index * TILE_PX < offset + width; index += 1) {
      context.drawImage(this.#tile(index, pixelsPerSec, scale), Math.round((index * TILE_PX - offset) * scale), 0)
    }
    context.setTransform(scale, 0, 0, scale, 0, 0)
  }

  #tile(index: number, pixelsPerSec: number, scale: number): HTMLCanvasElement {
    const known = this.#tiles.get(index)
    if (known) return known
    const tile = document.createElement('canvas')
    tile.width = Math.round(TILE_PX * scale)
    tile.height = Math.round(this.height * scale)
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
