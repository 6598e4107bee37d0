import { api, Failure, take, type Song, type Stem } from '$lib/api/client'
import { decode, type OnShape, type Part } from './decode'
import type { Level } from './mix'

/** A stem, or the song itself where there are none. */
export interface Source {
  kind: string
  url: string
  level: Level | undefined
}

/** The usual order on a mixer; what is not named comes after. */
const ORDER = ['vocals', 'drums', 'bass', 'guitar', 'piano', 'other']

/** What can be heard of a song: its stems, or itself. */
export async function sourcesOf(song: Song): Promise<Source[]> {
  const { data } = await take(api.GET('/api/v1/tracks/{id}/stems', { params: { path: { id: song.id } } }))
  if (data.length === 0) return [{ kind: 'song', url: song.file.url, level: undefined }]
  return data.sort(byOrder).map(sourceOf)
}

/** Reads and decodes a file as it comes in. */
export async function* partsOf(url: string, signal: AbortSignal, onShape: OnShape, wanted_hz?: number): AsyncGenerator<Part> {
  const response = await fetch(url, { signal })
  if (!response.ok || !response.body) throw Failure.ofBody(await response.json(), response.status)
  yield* decode(response.body, onShape, wanted_hz)
}

function sourceOf(stem: Stem): Source {
  const { rms_dbfs, peak_dbfs } = stem
  const linear = (dbfs: number) => 10 ** (dbfs / 20)
  const level = rms_dbfs == null || peak_dbfs == null ? undefined : { rms: linear(rms_dbfs), peak: linear(peak_dbfs) }
  return { kind: stem.take ? `${stem.take} ${stem.kind}` : stem.kind, url: stem.file.url, level }
}

function byOrder(a: Stem, b: Stem): number {
  const rank = ({ kind }: Stem) => (ORDER.indexOf(kind) + ORDER.length + 1) % (ORDER.length + 1)
  return rank(a) - rank(b)
}
