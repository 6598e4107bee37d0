import { Failure, type Song } from '$lib/api/client'
import { toasts } from '$lib/ui/toasts.svelte'
import { BegunUploads, markOf, type Begun } from './begun'
import { filesOf } from './dropped'
import { songs } from './songs.svelte'
import { browserWire, giveUp, sendWhole, soFar } from './tus'

const AT_ONCE = 3
/** Where the browser has locks, one tab sends a file and the others leave it alone. */
const LOCK = 'sfa.upload.'

/** A file on its way, or one that was on its way when the page was left. */
export class Upload {
  state = $state<'waiting' | 'sending' | 'paused' | 'done' | 'failed'>('waiting')
  sent_bytes = $state(0)
  /** What came of it, what went wrong, or why it does not go on now. */
  message = $state('')
  song = $state.raw<Song | null>(null)
  /** Absent until the same file was chosen again after a reload. */
  file = $state.raw<File | null>(null)
  #place: string | null
  #sending: AbortController | null = null

  constructor(
    readonly mark: string,
    readonly name: string,
    readonly size_bytes: number,
    readonly begun: BegunUploads,
    place: string | null,
  ) {
    this.#place = place
  }

  static of(file: File, begun: BegunUploads): Upload {
    const mark = markOf(file)
    const upload = new Upload(mark, file.name, file.size, begun, begun.find(mark)?.place ?? null)
    upload.file = file
    return upload
  }

  get percent(): number {
    return this.size_bytes > 0 ? Math.floor((this.sent_bytes / this.size_bytes) * 100) : 0
  }

  get isOver(): boolean {
    return this.state === 'done' || this.state === 'failed'
  }

  async send(): Promise<void> {
    const { file } = this
    if (!file) return
    const sending = new AbortController()
    this.#sending = sending
    this.state = 'sending'
    this.message = ''
    try {
      const { place, track } = await withLock(LOCK + this.mark, () => sendWhole(file, this.#place, sending.signal, this, browserWire))
      await this.#becomes(place, track)
    } catch (cause) {
      if (sending.signal.aborted) return
      this.state = 'failed'
      this.message = Failure.from(cause).message
    }
  }

  onPlace(place: string | null): void {
    this.#place = place
    if (place) this.begun.keep(this.mark, { place, name: this.name, size_bytes: this.size_bytes })
    else this.begun.forget(this.mark)
  }

  onSent(bytes: number): void {
    this.sent_bytes = bytes
  }

  onWait(why: string | null): void {
    this.message = why ?? ''
  }

  /** Finds out what the server has of it. Returns whether it knows it. */
  async look(): Promise<boolean> {
    if (!this.#place) return false
    const found = await soFar(this.#place, new AbortController().signal, browserWire)
    if (!found) {
      this.onPlace(null)
      return false
    }
    this.sent_bytes = found.sent_bytes
    if (found.track) await this.#becomes(this.#place, found.track)
    return true
  }

  pause(): void {
    this.#sending?.abort()
    this.state = 'paused'
    this.message = ''
  }

  /** Stops it for good; the server keeps nothing of it. */
  stop(): void {
    this.#sending?.abort()
    const place = this.#place
    if (!place) return
    this.onPlace(null)
    if (this.state !== 'done') giveUp(place, browserWire).catch(() => {})
  }

  async #becomes(place: string, track: string): Promise<void> {
    this.begun.forget(this.mark)
    await songs.refresh(track)
    if (songs.missingOf(track)) void songs.lookForFiles()
    this.song = songs.find(track) ?? null
    // Names are given in the order of time: a song that is named before its upload was there before.
    const wasHere = track < (place.split('/').at(-1) ?? '') || uploads.list.some((other) => other !== this && other.song?.id === track)
    this.message = wasHere ? 'Was here already' : 'Imported'
    this.sent_bytes = this.size_bytes
    this.state = 'done'
  }
}

class Uploads {
  list = $state.raw<Upload[]>([])
  #begun: BegunUploads | null = null

  get isBusy(): boolean {
    return this.list.some(({ state }) => state === 'waiting' || state === 'sending')
  }

  /** Finds what a user had begun when the page was left. Returns whether there is any. */
  async open(user: string): Promise<boolean> {
    const begun = new BegunUploads(user)
    this.#begun = begun
    const elsewhere = await lockedNames()
    const left = Object.entries(begun.all()).filter(([mark]) => !elsewhere.has(LOCK + mark))
    for (const [mark, found] of left) await this.#show(mark, found, begun)
    return this.list.length > 0
  }

  async #show(mark: string, { name, size_bytes, place }: Begun, begun: BegunUploads): Promise<void> {
    const upload = new Upload(mark, name, size_bytes, begun, place)
    upload.state = 'paused'
    const isKnown = await upload.look().catch(() => true)
    const isMissing = isKnown && this.#begun === begun && !this.list.some((other) => other.mark === mark)
    if (isMissing) this.list = [...this.list, upload]
  }

  /** Leaves what is on its way as it is; whoever comes back goes on. */
  close(): void {
    for (const upload of this.list) if (!upload.isOver) upload.pause()
    this.list = []
    this.#begun = null
  }

  add(files: Iterable<File>): void {
    const begun = this.#begun
    if (!begun) return
    for (const file of files) {
      const known = this.list.find((upload) => upload.mark === markOf(file) && !upload.isOver)
      if (!known) this.list = [...this.list, Upload.of(file, begun)]
      else if (known.state === 'paused') {
        known.file = file
        known.state = 'waiting'
      }
    }
    this.#next()
  }

  addDropped(transfer: DataTransfer): Promise<void> {
    return filesOf(transfer).then(
      (files) => this.add(files),
      (cause: unknown) => toasts.fail(cause),
    )
  }

  /** Goes on with what was paused or has failed. */
  resume(upload: Upload): void {
    upload.state = 'waiting'
    this.#next()
  }

  pause(upload: Upload): void {
    upload.pause()
    this.#next()
  }

  forget(upload: Upload): void {
    this.list = this.list.filter((other) => other !== upload)
    upload.stop()
    this.#next()
  }

  forgetEnded(): void {
    for (const upload of this.list) if (upload.isOver) this.forget(upload)
  }

  #next(): void {
    const sending = this.list.filter(({ state }) => state === 'sending').length
    const waiting = this.list.filter(({ state }) => state === 'waiting')
    for (const upload of waiting.slice(0, Math.max(0, AT_ONCE - sending))) void upload.send().then(() => this.#next())
  }
}

/** Browsers have locks only where the connection is safe. */
async function withLock<T>(name: string, act: () => Promise<T>): Promise<T> {
  return 'locks' in navigator ? ((await navigator.locks.request(name, act)) as T) : act()
}

async function lockedNames(): Promise<Set<string>> {
  if (!('locks' in navigator)) return new Set()
  const { held = [] } = await navigator.locks.query()
  return new Set(held.map(({ name }) => name ?? ''))
}

/** What is being sent to the server. */
export const uploads = new Uploads()
