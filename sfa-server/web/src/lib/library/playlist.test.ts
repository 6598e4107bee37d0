import { expect, test } from 'vitest'
import type { Song } from '$lib/api/client'
import { entriesOf, moved, nudged } from './playlist'
import { entry } from './query'

const song = (id: string, artist: string) => entry({ id, title: id, artist, created_at_ms: 0 } as Song)
const all = [song('a', 'Ada'), song('b', 'Ben'), song('c', 'Ada')]
const ids = (rules: string | null, tracks: string[]) => entriesOf(rules, tracks, all).map((found) => found.song.id)

test('a playlist has what was put in, or what its rules find', () => {
  expect(ids(null, ['c', 'gone', 'a'])).toEqual(['c', 'a'])
  expect(ids('artist:ada', ['b'])).toEqual(['a', 'c'])
})

test('songs are moved together to where they are dropped', () => {
  const order = ['a', 'b', 'c', 'd']
  expect(moved(order, ['d'], 'b')).toEqual(['a', 'd', 'b', 'c'])
  expect(moved(order, ['a', 'c'], null)).toEqual(['b', 'd', 'a', 'c'])
  expect(moved(order, ['c', 'a'], 'a')).toEqual(['a', 'c', 'b', 'd'])
  expect(moved(order, ['b'], 'b')).toEqual(order)
})

test('songs go one place up or down, and stop at the ends', () => {
  const order = ['a', 'b', 'c', 'd']
  expect(nudged(order, ['c'], -1)).toEqual(['a', 'c', 'b', 'd'])
  expect(nudged(order, ['a', 'b'], 1)).toEqual(['c', 'a', 'b', 'd'])
  expect(nudged(order, ['a', 'b'], -1)).toEqual(order)
  expect(nudged(order, ['d'], 1)).toEqual(order)
})
