import { expect, test } from 'vitest'
import { progressOf, spansOf, type Moment } from './timeline'

const moment = (at_ms: number, kind: string, progress?: number): Moment => ({ at_ms, kind, ...(progress === undefined ? {} : { progress }) })
const told = (moments: Moment[], now_ms = 1000) => spansOf(moments, now_ms).map(({ kind, start_ms, end_ms }) => `${kind} ${start_ms}-${end_ms}`)

test('a job waits, is worked on, and is done', () => {
  expect(told([moment(0, 'queued'), moment(40, 'started'), moment(50, 'progressed', 10), moment(90, 'completed')])).toEqual(['waits 0-40', 'works 40-90'])
})

test('what is not over lasts until now', () => {
  expect(told([moment(0, 'queued')], 30)).toEqual(['waits 0-30'])
  expect(told([moment(0, 'queued'), moment(40, 'started')], 70)).toEqual(['waits 0-40', 'works 40-70'])
})

test('an attempt that failed is followed by a rest', () => {
  const moments = [moment(0, 'queued'), moment(10, 'progressed', 30), moment(20, 'failed'), moment(21, 'put_off'), moment(60, 'started'), moment(80, 'discarded')]
  expect(told(moments)).toEqual(['waits 0-10', 'works 10-20', 'rests 20-60', 'works 60-80'])
})

test('progress begins at nothing and ends at all of it', () => {
  const moments = [moment(0, 'queued'), moment(5, 'started'), moment(10, 'progressed', 50), moment(15, 'failed'), moment(20, 'completed')]
  expect(progressOf(moments).map(({ progress }) => progress)).toEqual([0, 0, 50, 100])
})
