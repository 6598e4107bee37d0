import type { Entry } from './query'
import { fold } from './text'

/** The songs of one artist, or of one album. */
export interface Group {
  name: string
  /** Who plays on an album, as far as it is one and the same. */
  artist: string
  songs: number
  duration_ms: number
}

/** Artists or albums by name; songs that name none are in no group. */
export function groupsBy(entries: readonly Entry[], by: 'artist' | 'album'): Group[] {
  const groups = new Map<string, Group>()
  for (const { song } of entries) {
    const name = song[by]?.trim()
    if (!name) continue
    const key = fold(name)
    const group = groups.get(key)
    const [artist, duration_ms] = [song.artist ?? '', song.duration_ms ?? 0]
    if (!group) groups.set(key, { name, artist, songs: 1, duration_ms })
    else {
      group.songs += 1
      group.duration_ms += duration_ms
      if (group.artist !== artist) group.artist = 'Several artists'
    }
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

/** Whether a song is of a group. */
export function isOf(entry: Entry, by: 'artist' | 'album', name: string): boolean {
  return fold(entry.song[by]?.trim() ?? '') === fold(name)
}
