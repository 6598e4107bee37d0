import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const theme = readFileSync(new URL('./theme.css', import.meta.url), 'utf8')

function token(name: string): string {
  const value = new RegExp(`--color-${name}: (#[0-9a-f]{6});`).exec(theme)?.[1]
  if (!value) throw new Error(`the theme has no colour ${name}`)
  return value
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

const SURFACES = ['page', 'panel', 'card'].map(token)

test('text can be read on every surface', () => {
  for (const name of ['text', 'soft', 'muted', 'brand', 'success', 'warning', 'error', 'info']) {
    for (const surface of SURFACES) expect(contrast(token(name), surface), name).toBeGreaterThanOrEqual(4.5)
  }
  expect(contrast(token('primary'), token('primary-content'))).toBeGreaterThanOrEqual(4.5)
})

test('parts of controls and the colours of stems stand out', () => {
  for (const name of ['edge', 'drums', 'bass', 'other', 'vocals', 'guitar', 'piano']) {
    for (const surface of SURFACES) expect(contrast(token(name), surface), name).toBeGreaterThanOrEqual(3)
  }
})
