import { expect, test } from 'vitest'
import { EVERYTHING, isTerse, joined, lineOf, shownFields, shows, type Entry } from './line'

const line = (number: number, more: Partial<Entry> = {}) =>
  lineOf({ number, at_ms: number * 10, level: 'info', target: 'sfa_core::library::worker', message: 'done', fields: { job_id: 'j', duration_ms: 4 }, ...more })

test('a line is shown where all that is named fits', () => {
  const is = (filter: object, more: Partial<Entry> = {}) => shows({ ...EVERYTHING, ...filter })(line(1, more))
  expect(is({})).toBe(true)
  expect(is({ level: 'info' })).toBe(true)
  expect(is({ level: 'warn' })).toBe(false)
  expect(is({ level: 'warn' }, { level: 'error' })).toBe(true)
  expect(is({ target: 'sfa_core' })).toBe(true)
  expect(is({ target: 'worker' })).toBe(false)
  expect(is({ job: ' j ' })).toBe(true)
  expect(is({ job: 'k' })).toBe(false)
  expect(is({ job: 'j' }, { fields: {} })).toBe(false)
  expect(is({ text: 'DURATION_MS=4 done' })).toBe(true)
  expect(is({ text: 'done failed' })).toBe(false)
  expect(is({ level: 'info', target: 'sfa_core', job: 'j', text: 'failed' })).toBe(false)
})

test('what tells most comes first', () => {
  expect(shownFields({ fields: { duration_ms: 4, path: '/x', request_id: 'r', status: 200 } })).toBe('path=/x status=200 duration_ms=4 request_id=r')
})

test('a server that logs only trouble is known by that', () => {
  expect(isTerse([])).toBe(true)
  expect(isTerse([line(1, { level: 'error' }), line(2, { level: 'warn' })])).toBe(true)
  expect(isTerse([line(1, { level: 'error' }), line(2, { level: 'info' })])).toBe(false)
})

test('after a lost connection the log goes on, and after a restart it begins anew', () => {
  const numbers = (known: number[], told: ReturnType<typeof line>[]) => joined(known.map((at) => line(at)), told).map(({ number }) => number)
  expect(numbers([], [line(1), line(2)])).toEqual([1, 2])
  expect(numbers([1, 2, 3], [line(2), line(3), line(4)])).toEqual([1, 2, 3, 4])
  expect(numbers([1, 2, 3], [line(7), line(8)])).toEqual([7, 8])
  expect(numbers([1, 2, 3], [line(1, { at_ms: 99 }), line(3, { at_ms: 120 })])).toEqual([1, 3])
})
