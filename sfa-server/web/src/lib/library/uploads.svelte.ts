import { Failure, type Song } from '$lib/api/client'
import { songs } from './songs.svelte'

const AT_ONCE = 2
/** Within a dropped folder only these are taken; a file that was chosen by itself is always sent. */
const AUDIO = /\.(aac|aif|aiff|alac|caf|flac|m4a|mka|mp3|mp4|oga|ogg|opus|wav|webm|wma)$/i

/** A file on its way. */
export class Upload {
  state = $state<'waiting' | 'sending' | 'done' | 'failed'>('waiting')
  percent = $state(0)
  /** What came of it, or what went wrong. */
  message = $state('')
  song = $state.raw<Song | null>(null)
  #request: XMLHttpRequest | null = null

  constructor(readonly file: File) {}

  /** Sends the file; browsers tell the progress of uploads only this way. */
  send(): Promise<void> {
    this.state = 'sending'
    this.percent = 0
    const request = new XMLHttpRequest()
    this.#request = request
    return new Promise((resolve) => {
      request.upload.onprogress = ({ loaded, total }) => (this.percent = total ? Math.floor((loaded / total) * 100) : 0)
      request.onload = () => this.#answered(request)
      request.onerror = () => this.#fail(Failure.unreachable())
      request.onloadend = () => resolve()
      request.open('POST', `/api/v1/tracks?name=${encodeURIComponent(this.file.name)}`)
      request.setRequestHeader('content-type', 'application/octet-stream')
      request.responseType = 'json'
      request.send(this.file)
    })
  }

  stop(): void {
    this.#request?.abort()
  }

  #answered(request: XMLHttpRequest): void {
    if (request.status < 200 || request.status >= 300) {
      this.#fail(Failure.ofBody(request.response, request.status))
      return
    }
    const { track, is_new } = (request.response as { data: { track: Song; is_new: boolean } }).data
    this.state = 'done'
    this.song = track
    this.message = is_new ? 'Imported' : 'Was here already'
    songs.put(track)
  }

  #fail(failure: Failure): void {
    this.state = 'failed'
    this.message = failure.message
  }
}

class Uploads {
  list = $state.raw<Upload[]>([])

  get isBusy(): boolean {
    return this.list.some(({ state }) => state === 'waiting' || state === 'sending')
  }

  add(files: Iterable<File>): void {
    const added = [...files].map((file) => new Upload(file))
    if (added.length === 0) return
    this.list = [...this.list, ...added]
    this.#next()
  }

  async addDropped(transfer: DataTransfer): Promise<void> {
    // Entries are gone after the first wait.
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
    if (entries.length === 0) {
      this.add(transfer.files)
      return
    }
    const files = await Promise.all(entries.map((entry) => (entry.isFile ? one(entry as FileSystemFileEntry) : within(entry))))
    this.add(files.flat())
  }

  again(upload: Upload): void {
    upload.state = 'waiting'
    this.#next()
  }

  forget(upload: Upload): void {
    this.list = this.list.filter((other) => other !== upload)
    upload.stop()
  }

  forgetEnded(): void {
    this.list = this.list.filter(({ state }) => state === 'waiting' || state === 'sending')
  }

  #next(): void {
    const sending = this.list.filter(({ state }) => state === 'sending').length
    const waiting = this.list.filter(({ state }) => state === 'waiting')
    for (const upload of waiting.slice(0, AT_ONCE - sending)) void upload.send().then(() => this.#next())
  }
}

function one(entry: FileSystemFileEntry): Promise<File[]> {
  return new Promise((resolve, reject) => entry.file((file) => resolve([file]), reject))
}

async function within(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return AUDIO.test(entry.name) ? one(entry as FileSystemFileEntry) : []
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: File[] = []
  for (;;) {
    // A folder is told in portions, the last of which is empty.
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (portion.length === 0) return found
    for (const child of portion) found.push(...(await within(child)))
  }
}

/** What is being sent to the server. */
export const uploads = new Uploads()
