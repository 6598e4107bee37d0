import { expect, test } from 'vitest'
import { rangeOf, windowOf } from './window'

test('only what is seen and a little more is in the page', () => {
  const { first, count } = windowOf(10_000, 40, 4000, 800)
  expect(first).toBeLessThanOrEqual(100)
  expect(first + count).toBeGreaterThanOrEqual(120)
  expect(count).toBeLessThan(60)
  expect(windowOf(3, 40, 0, 800)).toEqual({ first: 0, count: 3 })
  expect(windowOf(3, 40, 90_000, 800).count).toBe(0)
})

test('shift selects all from the last one, in either direction', () => {
  const ids = ['a', 'b', 'c', 'd']
  expect(rangeOf(ids, 'b', 'd')).toEqual(['b', 'c', 'd'])
  expect(rangeOf(ids, 'd', 'b')).toEqual(['b', 'c', 'd'])
  expect(rangeOf(ids, null, 'c')).toEqual(['c'])
  expect(rangeOf(ids, 'gone', 'c')).toEqual(['c'])
})
