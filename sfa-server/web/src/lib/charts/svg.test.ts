import { expect, test } from 'vitest'
import { faint } from './chart'
import { SvgPen } from './svg'

const pen = () => new SvgPen(100, 50, (text) => ({ width: text.length * 6 }) as TextMetrics)

test('strokes of a canvas become elements of an SVG', () => {
  const svg = pen()
  svg.fillStyle = faint('#c27aff', 0.5)
  svg.fillRect(1, 2, 3, 4)
  svg.beginPath()
  svg.moveTo(0, 0)
  svg.lineTo(10, 5.678)
  svg.closePath()
  svg.strokeStyle = '#ffffff'
  svg.stroke()
  expect(String(svg)).toBe(
    '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50" viewBox="0 0 100 50">' +
      '<rect x="1" y="2" width="3" height="4" fill="rgb(194,122,255)" fill-opacity="0.500"/>' +
      '<path d="M0 0L10 5.68Z" fill="none" stroke="#ffffff" stroke-width="1"/></svg>',
  )
})

test('a whole circle is two halves, since an arc cannot end where it began', () => {
  const svg = pen()
  svg.beginPath()
  svg.arc(10, 10, 5, 0, 2 * Math.PI)
  svg.fill()
  expect(String(svg)).toContain('d="M15 10A5 5 0 0 1 5 10A5 5 0 0 1 15 10"')
})

test('texts cannot become anything else', () => {
  const svg = pen()
  svg.font = '600 11px "Inter Variable", sans-serif'
  svg.fillText('<script>&"', 1, 2)
  expect(String(svg)).not.toContain('<script')
  expect(String(svg)).toContain('font-weight="600"')
  expect(String(svg)).toContain('&#60;script&#62;&#38;&#34;')
})
