import { expect, test } from 'vitest'
import { camelotToOpenKey } from './keys'
import { clock, fineClock, lasting, size, words } from './text'

test('lengths and sizes read like on a player', () => {
  expect([0, 95_653, 3_600_000, null].map(clock)).toEqual(['0:00', '1:36', '1:00:00', '–'])
  expect([0, 59.96, 61.24].map(fineClock)).toEqual(['0:00.0', '1:00.0', '1:01.2'])
  expect([12, 1500, 16_874_436, 2e9].map(size)).toEqual(['12 B', '1.5 kB', '16.9 MB', '2.0 GB'])
  expect(words('super_admin')).toBe('Super admin')
})

test('what something took is told as exactly as it matters', () => {
  expect([0, 340.4, 4210, 59_960, 200_000, 7_500_000].map(lasting)).toEqual(['0 ms', '340 ms', '4.2 s', '1 min 0 s', '3 min 20 s', '2 h 5 min'])
})

test('the two wheels of keys agree', () => {
  expect(['8A', '8B', '1A', '12B', '', null].map(camelotToOpenKey)).toEqual(['1m', '1d', '6m', '5d', null, null])
})
