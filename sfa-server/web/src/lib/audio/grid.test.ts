import { expect, test } from 'vitest'
import { Grid, smpte } from './grid'

/** A pickup beat, then bars of four, the second one slower: no tempo counts this right. */
const TIMES = [0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 7]
const POSITIONS = [4, 1, 2, 3, 4, 1, 2, 3, 4, 1]
const grid = new Grid({ beats: TIMES.map((time_secs, at) => ({ time_secs, bar_position: POSITIONS[at] ?? 1 })), meter: { beats_per_bar: 4, beat_unit: 4 } })

test('bars follow the beats that were found', () => {
  expect(grid.place(0.2)).toBeNull()
  expect(grid.place(0.6)).toMatchObject({ bar: 0, beat: 4 })
  expect(grid.place(1)).toMatchObject({ bar: 1, beat: 1 })
  expect(grid.place(4.5)).toMatchObject({ bar: 2, beat: 2 })
  expect(grid.place(99)).toMatchObject({ bar: 3, beat: 1 })
})

test('a loop of bars reaches from downbeat to downbeat', () => {
  expect(grid.bars(1.7, 1)).toEqual({ start_secs: 1, end_secs: 3 })
  expect(grid.bars(3, 1)).toEqual({ start_secs: 3, end_secs: 7 })
  expect(grid.bars(0, 2)).toEqual({ start_secs: 1, end_secs: 7 })
  expect(grid.bars(3, 2)).toBeNull()
})

test('places snap to the nearest beat', () => {
  expect([0, 1.2, 1.3, 3.4, 3.6, 50].map((secs) => grid.snap(secs))).toEqual([0.5, 1, 1.5, 3, 4, 7])
  expect(new Grid(null).snap(1.234)).toBe(1.234)
})

test('the next beat comes with the length of beats around it', () => {
  expect(grid.next(1)).toEqual({ time_secs: 1, interval_secs: 0.5 })
  expect(grid.next(3.2)).toEqual({ time_secs: 4, interval_secs: 1 })
  expect(grid.next(7.1)).toBeNull()
})

test('beats in frames, with the firsts of bars', () => {
  const { frames, accents } = grid.inFrames(100)
  expect([...frames.slice(0, 3)]).toEqual([50, 100, 150])
  expect([...accents.slice(0, 3)]).toEqual([0, 1, 0])
})

test('seconds as film counts them', () => {
  expect(smpte(61.5)).toBe('00:01:01:15')
  expect(smpte(3725.999)).toBe('01:02:05:29')
  expect(smpte(-1)).toBe('00:00:00:00')
})
