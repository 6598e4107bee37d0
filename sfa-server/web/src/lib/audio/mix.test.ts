import { expect, test } from 'vitest'
import { decibels, gains, panned, panName, PLAIN, volumes, withSolo } from './mix'

const strip = (more = {}) => ({ ...PLAIN, volume: 0.5, ...more })
const levels = [
  { rms: 0.1, peak: 0.5 },
  { rms: 0.2, peak: 0.9 },
]

test('solo silences the others, mute silences always', () => {
  expect(volumes([strip(), strip({ volume: 1 })])).toEqual([0.5, 1])
  expect(volumes([strip({ isSoloed: true }), strip()])).toEqual([0.5, 0])
  expect(volumes([strip({ isSoloed: true, isMuted: true }), strip({ isSoloed: true })])).toEqual([0, 0.5])
})

test('solo joins others, or takes their place', () => {
  const soloed = (isAlone: boolean) => withSolo([strip({ isSoloed: true }), strip()], 1, isAlone).map(({ isSoloed }) => isSoloed)
  expect(soloed(false)).toEqual([true, true])
  expect(soloed(true)).toEqual([false, true])
})

test('a pan takes away from one side and leaves the middle as it is', () => {
  expect(panned(0.8, 0)).toEqual({ left: 0.8, right: 0.8 })
  expect(panned(1, -0.25)).toEqual({ left: 1, right: 0.75 })
  expect(panned(1, 1)).toEqual({ left: 0, right: 1 })
})

test('what is compared is as loud as the mix, and does not clip', () => {
  const mix = [strip({ volume: 1 }), strip({ volume: 1 })]
  const rms = Math.hypot(0.1, 0.2)
  expect(gains(mix, 'original', levels).map(({ left }) => left)).toEqual([0, 0, 1])
  expect(gains(mix, 'sum', levels).map(({ left }) => left)).toEqual([1, 1, 0])
  expect(gains(mix, 1, levels)[1]?.left).toBeCloseTo(rms / 0.2 < 1 / 0.9 ? rms / 0.2 : 1 / 0.9)
  expect(gains(mix, 0, levels)[0]?.left).toBeCloseTo(2)
  const softer = gains([strip(), strip()], 'original', levels)
  expect(softer[2]?.left).toBeCloseTo(0.5)
})

test('what nobody measured is left as it is', () => {
  expect(gains([strip()], 'original', [undefined])).toEqual([{ left: 0, right: 0 }, { left: 1, right: 1 }])
})

test('faders and pans say where they are', () => {
  expect([1, 0.5, 0].map(decibels)).toEqual(['0.0 dB', '−6.0 dB', 'silent'])
  expect([0, -1, 0.3].map(panName)).toEqual(['middle', '100 % left', '30 % right'])
})
