import type { Pen } from './chart'

const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
const short = (value: number) => String(Math.round(value * 100) / 100)

/** Draws what a canvas draws, as an SVG. */
export class SvgPen implements Pen {
  fillStyle: CanvasRenderingContext2D['fillStyle'] = '#000000'
  strokeStyle: CanvasRenderingContext2D['strokeStyle'] = '#000000'
  lineWidth = 1
  font = '10px sans-serif'
  textAlign: CanvasTextAlign = 'start'
  textBaseline: CanvasTextBaseline = 'alphabetic'
  #parts: string[] = []
  #path = ''

  /** `measure` knows how wide texts are. */
  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly measure: (text: string, font: string) => TextMetrics,
  ) {}

  toString(): string {
    const [width, height] = [short(this.width), short(this.height)]
    const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`
    return `${head}${this.#parts.join('')}</svg>`
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.#parts.push(`<rect x="${short(x)}" y="${short(y)}" width="${short(Math.max(0, width))}" height="${short(Math.max(0, height))}" ${paint('fill', this.fillStyle)}/>`)
  }

  fillText(text: string, x: number, y: number): void {
    const [, weight, size, family] = /^(?:(\d+) )?([\d.]+)px (.*)$/.exec(this.font) ?? []
    const anchor = { center: 'middle', right: 'end', end: 'end' }[this.textAlign as string] ?? 'start'
    const baseline = { middle: 'central', top: 'hanging', bottom: 'text-after-edge' }[this.textBaseline as string] ?? 'alphabetic'
    this.#parts.push(
      `<text x="${short(x)}" y="${short(y)}" font-family="${escaped(family ?? 'sans-serif')}" font-size="${size ?? 10}" font-weight="${weight ?? 400}" text-anchor="${anchor}" dominant-baseline="${baseline}" ${paint('fill', this.fillStyle)}>${escaped(text)}</text>`,
    )
  }

  measureText(text: string): TextMetrics {
    return this.measure(text, this.font)
  }

  beginPath(): void {
    this.#path = ''
  }

  moveTo(x: number, y: number): void {
    this.#path += `M${short(x)} ${short(y)}`
  }

  lineTo(x: number, y: number): void {
    this.#path += `${this.#path ? 'L' : 'M'}${short(x)} ${short(y)}`
  }

  closePath(): void {
    this.#path += 'Z'
  }

  arc(x: number, y: number, radius: number, from: number, to: number, isBackwards = false): void {
    const turn = isBackwards ? from - to : to - from
    // An SVG's arc ends somewhere else than where it began.
    const halves = turn >= 2 * Math.PI - 1e-6 ? 2 : 1
    const at = (angle: number): [number, number] => [x + radius * Math.cos(angle), y + radius * Math.sin(angle)]
    this.lineTo(...at(from))
    for (let half = 1; half <= halves; half += 1) {
      const [endX, endY] = at(from + ((isBackwards ? -1 : 1) * turn * half) / halves)
      const isLarge = turn / halves > Math.PI ? 1 : 0
      this.#path += `A${short(radius)} ${short(radius)} 0 ${isLarge} ${isBackwards ? 0 : 1} ${short(endX)} ${short(endY)}`
    }
  }

  fill(): void {
    this.#parts.push(`<path d="${this.#path}" ${paint('fill', this.fillStyle)}/>`)
  }

  stroke(): void {
    this.#parts.push(`<path d="${this.#path}" fill="none" ${paint('stroke', this.strokeStyle)} stroke-width="${short(this.lineWidth)}"/>`)
  }
}

/** Programs that are no browsers know no colours with an opacity. */
function paint(what: 'fill' | 'stroke', style: CanvasRenderingContext2D['fillStyle']): string {
  const [, red, green, blue, opacity] = /^rgb\((\d+) (\d+) (\d+) \/ ([\d.]+)\)$/.exec(String(style)) ?? []
  return opacity ? `${what}="rgb(${red},${green},${blue})" ${what}-opacity="${opacity}"` : `${what}="${escaped(String(style))}"`
}
