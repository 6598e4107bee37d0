import { expect, test } from 'vitest'
import { Pace, timeLeft } from './eta'

test('the rest is told from how fast it went', () => {
  const pace = new Pace()
  pace.note(10, 0)
  expect(pace.remaining_secs(0)).toBeNull()
  pace.note(20, 4000)
  expect(pace.remaining_secs(4000)).toBeNull()
  pace.note(30, 10_000)
  expect(pace.remaining_secs(10_000)).toBeCloseTo(35)
  expect(pace.remaining_secs(20_000)).toBeCloseTo(25)
  // What has stood still for longer than it should have taken is not "done at once".
  expect(pace.remaining_secs(60_000)).toBeNull()
})

test('a new attempt starts anew', () => {
  const pace = new Pace()
  pace.note(50, 0)
  pace.note(90, 20_000)
  pace.note(0, 30_000)
  expect(pace.remaining_secs(30_000)).toBeNull()
})

test('times are as exact as they are known', () => {
  expect([4, 31, 58, 200, 5400].map(timeLeft)).toEqual([
    'a few seconds left',
    'about 40 s left',
    'about 1 min left',
    'about 3 min left',
    'about 1.5 h left',
  ])
})
