import { expect, test } from 'vitest'
import type { Song } from '$lib/api/client'
import { groupsBy, isOf } from './groups'
import { entry } from './query'

const song = (artist: string | null, album: string | null) =>
  entry({ id: `${artist}${album}`, title: 't', artist, album, duration_ms: 1000 } as Song)

test('songs are grouped whatever the case and accents of a name', () => {
  const entries = [song('Zoë', 'One'), song('zoe ', 'Two'), song('Ada', 'One'), song(null, '')]
  expect(groupsBy(entries, 'artist').map(({ name, songs, duration_ms }) => [name, songs, duration_ms])).toEqual([
    ['Ada', 1, 1000],
    ['Zoë', 2, 2000],
  ])
  expect(groupsBy(entries, 'album').map(({ name, artist }) => [name, artist])).toEqual([
    ['One', 'Several artists'],
    ['Two', 'zoe '],
  ])
  expect(entries.filter((one) => isOf(one, 'artist', 'ZOE')).length).toBe(2)
})
