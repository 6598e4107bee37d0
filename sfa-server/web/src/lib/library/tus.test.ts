import { expect, test } from 'vitest'
import { Failure } from '$lib/api/client'
import { PIECE_BYTES, sendWhole, type Ask, type Reply, type Wire } from './tus'

const SIZE_BYTES = PIECE_BYTES * 2 + 1000

class Song extends Blob {
  constructor(
    bytes: number,
    readonly name: string,
  ) {
    super([new Uint8Array(bytes)])
  }
}

const never = new AbortController().signal
const deaf = { onPlace: () => {}, onSent: () => {}, onWait: () => {} }
const atOnce = () => Promise.resolve()

/** A server that keeps what comes, and does to a request what `trouble` says first. */
function server(trouble: (ask: Ask, nth: number) => Reply | 'cut' | 'lost' | null) {
  const state = { asked: [] as Ask[], has: null as number | null, begun: 0 }
  const reply = (status: number, headers: Record<string, string> = {}, body: unknown = null): Reply => ({ status, header: (name) => headers[name] ?? null, body })
  const wire: Wire = (ask) => {
    state.asked.push(ask)
    const what = trouble(ask, state.asked.length)
    if (what !== null && typeof what === 'object') return Promise.resolve(what)
    if (what === 'cut') {
      // Half of the piece arrives, the answer does not.
      if (ask.body) state.has = (state.has ?? 0) + Math.floor(ask.body.size / 2)
      return Promise.reject(Failure.unreachable())
    }
    if (what === 'lost') state.has = null
    if (ask.method === 'POST') {
      state.has = 0
      state.begun += 1
      return Promise.resolve(reply(201, { location: '/api/v1/uploads/u' }))
    }
    if (state.has === null) return Promise.resolve(reply(404))
    if (ask.method === 'PATCH') {
      const at = Number(ask.headers['upload-offset'])
      if (at !== state.has) return Promise.resolve(reply(409, {}, { error: { code: 'wrong_offset' } }))
      state.has += ask.body?.size ?? 0
    }
    const told = { 'upload-offset': String(state.has), 'upload-length': String(SIZE_BYTES) }
    return Promise.resolve(reply(204, state.has === SIZE_BYTES ? { ...told, 'content-location': '/api/v1/tracks/t' } : told))
  }
  return { state, wire, reply }
}

const song = () => new Song(SIZE_BYTES, 'Zoë – 1.wav')
const offsets = (asked: Ask[]) => asked.filter(({ method }) => method === 'PATCH').map(({ headers }) => Number(headers['upload-offset']))

test('a file goes in pieces, and its name in any letters', async () => {
  const { state, wire } = server(() => null)
  expect(await sendWhole(song(), null, never, deaf, wire, atOnce)).toEqual({ place: '/api/v1/uploads/u', track: 't' })
  expect(offsets(state.asked)).toEqual([0, PIECE_BYTES, PIECE_BYTES * 2])
  const name = state.asked[0]?.headers['upload-metadata']?.split(' ')[1] ?? ''
  const bytes = Uint8Array.from(atob(name), (letter) => letter.charCodeAt(0))
  expect(new TextDecoder().decode(bytes)).toBe('Zoë – 1.wav')
})

test('after a broken line it goes on from what the server has', async () => {
  const { state, wire } = server((_, nth) => (nth === 3 ? 'cut' : null))
  const told: number[] = []
  const waits: (string | null)[] = []
  const listener = { onPlace: () => {}, onSent: (bytes: number) => told.push(bytes), onWait: (why: string | null) => waits.push(why) }
  await sendWhole(song(), null, never, listener, wire, atOnce)
  expect(offsets(state.asked)).toEqual([0, PIECE_BYTES, PIECE_BYTES * 1.5])
  expect(state.begun).toBe(1)
  expect(told.at(-1)).toBe(SIZE_BYTES)
  expect(waits).toEqual([null, Failure.unreachable().message, null])
})

test('a place of an earlier page is asked how far it is', async () => {
  const { state, wire } = server(() => null)
  state.has = PIECE_BYTES + 5
  await sendWhole(song(), '/api/v1/uploads/u', never, deaf, wire, atOnce)
  expect(state.begun).toBe(0)
  expect(offsets(state.asked)).toEqual([PIECE_BYTES + 5, PIECE_BYTES * 2 + 5])
})

test('what the server has forgotten begins anew', async () => {
  const { state, wire } = server(() => null)
  const places: (string | null)[] = []
  await sendWhole(song(), '/api/v1/uploads/old', never, { ...deaf, onPlace: (place) => places.push(place) }, wire, atOnce)
  expect(places).toEqual([null, '/api/v1/uploads/u'])
  expect(state.begun).toBe(1)
})

test('what trying again does not mend is told', async () => {
  const { wire, reply } = server((ask) => (ask.method === 'PATCH' ? reply(400, {}, { error: { code: 'audio', message: 'this is no music' } }) : null))
  await expect(sendWhole(song(), null, never, deaf, wire, atOnce)).rejects.toThrow('this is no music')
})

test('a busy server is asked again, one that was stopped is not', async () => {
  const locked = server((ask, nth) => (ask.method === 'PATCH' && nth === 2 ? locked.reply(423) : null))
  expect((await sendWhole(song(), null, never, deaf, locked.wire, atOnce)).track).toBe('t')
  const stop = new AbortController()
  const stopped = server((ask) => {
    if (ask.method === 'PATCH') stop.abort()
    return ask.method === 'PATCH' ? 'cut' : null
  })
  await expect(sendWhole(song(), null, stop.signal, deaf, stopped.wire, atOnce)).rejects.toThrow()
  expect(offsets(stopped.state.asked)).toEqual([0])
})

test('a file that is gone is not waited for', async () => {
  const { wire } = server((ask) => (ask.method === 'PATCH' ? 'cut' : null))
  const gone = song()
  gone.slice = (from, to) => Object.assign(Blob.prototype.slice.call(gone, from, to), { arrayBuffer: () => Promise.reject(new Error()) })
  await expect(sendWhole(gone, null, never, deaf, wire, atOnce)).rejects.toThrow('moved or changed')
})
