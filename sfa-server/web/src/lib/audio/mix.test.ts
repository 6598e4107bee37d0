import { expect, test } from 'vitest'
import { decibels, gains, withSolo } from './mix'

const strip = (more = {}) => ({ volume: 0.5, isMuted: false, isSoloed: false, ...more })

test('solo silences the others, mute silences always', () => {
  expect(gains([strip(), strip({ volume: 1 })])).toEqual([0.5, 1])
  expect(gains([strip({ isSoloed: true }), strip()])).toEqual([0.5, 0])
  expect(gains([strip({ isSoloed: true, isMuted: true }), strip({ isSoloed: true })])).toEqual([0, 0.5])
})

test('solo joins others, or takes their place', () => {
  const soloed = (isAlone: boolean) => withSolo([strip({ isSoloed: true }), strip()], 1, isAlone).map(({ isSoloed }) => isSoloed)
  expect(soloed(false)).toEqual([true, true])
  expect(soloed(true)).toEqual([false, true])
})

test('faders say decibels', () => {
  expect([1, 0.5, 0].map(decibels)).toEqual(['0.0 dB', '−6.0 dB', 'silent'])
})
