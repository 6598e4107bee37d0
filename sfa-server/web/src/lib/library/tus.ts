import { Failure } from '$lib/api/client'

/** Where uploads that can be resumed begin, by the protocol tus 1.0. */
const PLACE = '/api/v1/uploads'
/** So much is sent in one request: what a proxy holds back until it is whole is not lost in large parts. */
export const PIECE_BYTES = 8 * 1024 * 1024
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 10_000

/** As much of a request as is needed here. */
export interface Ask {
  method: 'POST' | 'HEAD' | 'PATCH' | 'DELETE'
  path: string
  headers: Record<string, string>
  body?: Blob
}

/** As much of an answer. */
export interface Reply {
  status: number
  header: (name: string) => string | null
  body: unknown
}

/**
 * Has a request carried out; rejects with {@link Failure.unreachable} without an answer, and when it was stopped.
 * `onSent` hears how much of the body has left.
 */
export type Wire = (ask: Ask, signal: AbortSignal, onSent?: (bytes: number) => void) => Promise<Reply>

/** What is told about an upload while it goes on. */
export interface Listener {
  /** It has a place at the server now, which outlives this page; null when that was lost. */
  onPlace: (place: string | null) => void
  onSent: (bytes: number) => void
  /** Why nothing comes through now, in a sentence; null when it goes on. */
  onWait: (why: string | null) => void
}

/** How far an upload is, and the song that it has become. */
export interface SoFar {
  sent_bytes: number
  size_bytes: number
  track: string | null
}

/** Asks how far an upload is; null where the server knows it no more. */
export async function soFar(place: string, signal: AbortSignal, wire: Wire): Promise<SoFar | null> {
  const reply = await wire({ method: 'HEAD', path: place, headers: protocol() }, signal)
  if (reply.status === 404 || reply.status === 410) return null
  makeSure(reply)
  return { sent_bytes: number(reply, 'upload-offset'), size_bytes: number(reply, 'upload-length'), track: trackOf(reply) }
}

/** Gives an upload up; what the server has of it is removed. */
export async function giveUp(place: string, wire: Wire): Promise<void> {
  await wire({ method: 'DELETE', path: place, headers: protocol() }, new AbortController().signal)
}

/**
 * Sends a file, from wherever `place` already is, and goes on by itself when the server was away. Returns where it was sent
 * and the id of the song.
 *
 * @throws {Failure} what trying again does not mend, or when `signal` says so
 */
export async function sendWhole(
  file: Blob & { name: string },
  place: string | null,
  signal: AbortSignal,
  listener: Listener,
  wire: Wire,
  pause: (wait_ms: number, signal: AbortSignal) => Promise<void> = rest,
): Promise<{ place: string; track: string }> {
  let sent_bytes: number | null = null
  let wait_ms = FIRST_WAIT_MS
  for (;;) {
    try {
      if (place === null) {
        place = await begin(file, signal, wire)
        listener.onPlace(place)
        sent_bytes = 0
      }
      let track: string | null = null
      if (sent_bytes === null) {
        const found = await soFar(place, signal, wire)
        if (!found) {
          place = null
          listener.onPlace(null)
          continue
        }
        ;({ sent_bytes, track } = found)
        listener.onSent(sent_bytes)
      }
      while (track === null) {
        const at: number = sent_bytes
        const reply = await sendPiece(file, place, at, signal, wire, (bytes) => listener.onSent(at + bytes))
        sent_bytes = number(reply, 'upload-offset')
        track = trackOf(reply)
        listener.onSent(sent_bytes)
        listener.onWait(null)
        wait_ms = FIRST_WAIT_MS
      }
      return { place, track }
    } catch (cause) {
      const failure = Failure.from(cause)
      if (signal.aborted || !isPassing(failure)) throw failure
      await makeSureOfFile(file)
      listener.onWait(failure.message)
      await pause(wait_ms, signal)
      wait_ms = Math.min(wait_ms * 2, LONGEST_WAIT_MS)
      // What came of the last piece only the server knows.
      sent_bytes = null
    }
  }
}

async function begin(file: Blob & { name: string }, signal: AbortSignal, wire: Wire): Promise<string> {
  const headers = { ...protocol(), 'upload-length': String(file.size), 'upload-metadata': `filename ${base64(file.name)}` }
  const reply = await wire({ method: 'POST', path: PLACE, headers }, signal)
  makeSure(reply)
  const place = reply.header('location')
  if (!place) throw new Failure('The server did not say where the file goes.', 'no_place', 0, undefined)
  return new URL(place, 'http://server').pathname
}

async function sendPiece(
  file: Blob,
  place: string,
  at: number,
  signal: AbortSignal,
  wire: Wire,
  onSent: (bytes: number) => void,
): Promise<Reply> {
  const headers = { ...protocol(), 'upload-offset': String(at), 'content-type': 'application/offset+octet-stream' }
  const body = file.slice(at, at + PIECE_BYTES)
  const reply = await wire({ method: 'PATCH', path: place, headers, body }, signal, onSent)
  makeSure(reply)
  return reply
}

function protocol(): Record<string, string> {
  return { 'tus-resumable': '1.0.0' }
}

function makeSure({ status, body }: Reply): void {
  if (status < 200 || status >= 300) throw Failure.ofBody(body, status)
}

/** A file that was moved or changed looks to a request like a server that does not answer. */
async function makeSureOfFile(file: Blob): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer()
  } catch {
    throw new Failure('The file cannot be read any more. It was moved or changed.', 'no_file', 0, undefined)
  }
}

/** Whether the same request may succeed later: nobody answered, another request still ends, or it was one too many. */
function isPassing({ code, status }: Failure): boolean {
  return code === 'unreachable' || code === 'wrong_offset' || [404, 408, 423, 429, 502, 503, 504].includes(status)
}

function number(reply: Reply, name: string): number {
  return Number(reply.header(name) ?? 0)
}

function trackOf(reply: Reply): string | null {
  return reply.header('content-location')?.split('/').at(-1) ?? null
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}

function rest(wait_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(Failure.unreachable())
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, wait_ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** The wire of a browser: of all it has, only this tells how much was sent. */
export const browserWire: Wire = ({ method, path, headers, body }, signal, onSent) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const stop = () => request.abort()
    signal.addEventListener('abort', stop, { once: true })
    request.upload.onprogress = ({ loaded }) => onSent?.(loaded)
    request.onload = () => resolve({ status: request.status, header: (name) => request.getResponseHeader(name), body: request.response as unknown })
    request.onerror = request.onabort = () => reject(Failure.unreachable())
    request.onloadend = () => signal.removeEventListener('abort', stop)
    request.open(method, path)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.responseType = 'json'
    if (signal.aborted) reject(Failure.unreachable())
    else request.send(body)
  })
