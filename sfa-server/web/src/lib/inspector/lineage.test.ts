import { expect, test } from 'vitest'
import type { Job } from '$lib/api/client'
import { causeOf, lineageOf } from './lineage'

const job = (id: string, created_at_ms: number, finished_at_ms: number | null, state = 'completed') => ({ id, created_at_ms, finished_at_ms, state }) as Job

const download = job('download', 0, 900)
const separate = job('separate', 903, 60_000)
const analyze = job('analyze', 60_000, 70_000, 'discarded')
const again = job('again', 300_000, 310_000)
const exported = job('export', 310_001, null, 'executing')
const family = [exported, again, analyze, separate, download]

test('a job was asked for by the one that ended just then', () => {
  expect(causeOf(analyze, family)).toBe(separate)
  expect(causeOf(download, family)).toBeUndefined()
  expect(causeOf(again, family), 'somebody had it done again').toBeUndefined()
  expect(causeOf(job('x', 70_000, null), family), 'what failed leads to nothing').toBeUndefined()
})

test('a lineage is told from its first job on, and holds no other', () => {
  const ids = (of: Job) => lineageOf(of, family).map(({ job: { id } }) => id)
  expect(ids(separate)).toEqual(['download', 'separate', 'analyze'])
  expect(ids(analyze)).toEqual(['download', 'separate', 'analyze'])
  expect(ids(exported)).toEqual(['again', 'export'])
  expect(lineageOf(again, []).map(({ isCaused }) => isCaused)).toEqual([false])
})

test('what one job led to side by side stands below it', () => {
  const two = [job('a', 0, 100), job('b', 101, 200), job('c', 102, 300)]
  expect(lineageOf(two[0]!, two).map(({ job: { id }, depth }) => `${depth}${id}`)).toEqual(['0a', '1b', '1c'])
})
