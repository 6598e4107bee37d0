import { findBlock, readHead, type FlacHead } from './flac'

/** Some frames of a file. */
export interface Part {
  start: number
  left: Int16Array
  right: Int16Array
}

/** What is known of a file before all of it is there. */
export interface Shape {
  sampleRate_hz: number
  frames: number
}

/** Called with the shape once, before the first part. */
export type OnShape = (shape: Shape) => void

const PART_SECS = 4
/** Before it is known what a file is, a decoder needs some rate. */
const USUAL_RATE_HZ = 44_100

/**
 * Decodes what comes in, part by part where the format lets itself be cut (FLAC), else in one piece. Where a rate is
 * wanted that is not the file's, it is changed.
 *
 * @throws {Error} for what this browser cannot decode
 */
export async function* decode(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onShape: OnShape,
  wanted_hz?: number,
): AsyncGenerator<Part> {
  const source = new Source(stream)
  while (source.bytes.length < 4 && (await source.more()));
  const isFlac = new TextDecoder('latin1').decode(source.bytes.subarray(0, 4)) === 'fLaC'
  if (isFlac) yield* decodeFlac(source, onShape, wanted_hz)
  else yield* decodeWhole(source, onShape, wanted_hz)
}

/** The bytes of a stream that have come and were not taken yet. */
class Source {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #length = 0
  #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>
  #room: Uint8Array<ArrayBuffer> = new Uint8Array(1 << 20)

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader()
  }

  /** Waits for more; false at the end. */
  async more(): Promise<boolean> {
    const { value, done } = await this.#reader.read()
    if (done) return false
    if (this.#length + value.length > this.#room.length) {
      const room = new Uint8Array(Math.max(this.#room.length * 2, this.#length + value.length))
      room.set(this.bytes)
      this.#room = room
    }
    this.#room.set(value, this.#length)
    this.#length += value.length
    this.bytes = this.#room.subarray(0, this.#length)
    return true
  }

  drop(count: number): void {
    this.#room.copyWithin(0, count, this.#length)
    this.#length -= count
    this.bytes = this.#room.subarray(0, this.#length)
  }
}

async function* decodeFlac(source: Source, onShape: OnShape, wanted_hz?: number): AsyncGenerator<Part> {
  let head: FlacHead | null = null
  while (!(head = readHead(source.bytes))) {
    if (!(await source.more())) throw new Error('this FLAC file ends within its head')
  }
  if (head.frames === 0 || (wanted_hz ?? head.sampleRate_hz) !== head.sampleRate_hz) {
    yield* decodeWhole(source, onShape, wanted_hz)
    return
  }
  onShape({ sampleRate_hz: head.sampleRate_hz, frames: head.frames })
  source.drop(head.end)
  const partBlocks = Math.max(1, Math.round((PART_SECS * head.sampleRate_hz) / head.blockFrames))
  let next = 0
  let isWhole = false
  let searched = 0
  while (next * head.blockFrames < head.frames) {
    const isLast = (next + partBlocks) * head.blockFrames >= head.frames
    const end = isLast ? -1 : findBlock(source.bytes, next + partBlocks, searched)
    if (end < 0 && !isWhole) {
      // A header may lie across the border of what has come.
      searched = Math.max(0, source.bytes.length - 32)
      isWhole = !(await source.more())
      continue
    }
    const bytes = source.bytes.subarray(0, end < 0 ? source.bytes.length : end)
    yield await decodePart(head, bytes, next * head.blockFrames)
    if (end < 0) return
    source.drop(end)
    searched = 0
    next += partBlocks
  }
}

async function decodePart(head: FlacHead, blocks: Uint8Array, start: number): Promise<Part> {
  const file = new Uint8Array(head.bytes.length + blocks.length)
  file.set(head.bytes)
  file.set(blocks, head.bytes.length)
  return { start, ...planes(await decodeAt(file.buffer, head.sampleRate_hz)) }
}

let lastWhole: Promise<unknown> = Promise.resolve()

/** One file after the other: the floats of one whole song are enough. */
async function* decodeWhole(source: Source, onShape: OnShape, wanted_hz?: number): AsyncGenerator<Part> {
  while (await source.more());
  const decoding = lastWhole.then(async () => {
    const audio = await decodeAt(source.bytes.slice().buffer, wanted_hz ?? wavRate(source.bytes) ?? USUAL_RATE_HZ)
    return { shape: { sampleRate_hz: audio.sampleRate, frames: audio.length }, part: { start: 0, ...planes(audio) } }
  })
  lastWhole = decoding.catch(() => {})
  const { shape, part } = await decoding
  onShape(shape)
  yield part
}

/** Without a change of the rate, so that frames stay what they are. */
function decodeAt(file: ArrayBuffer, sampleRate_hz: number): Promise<AudioBuffer> {
  return new OfflineAudioContext(2, 1, sampleRate_hz).decodeAudioData(file)
}

function wavRate(bytes: Uint8Array): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const isWav = bytes.length > 28 && view.getUint32(0) === 0x52494646 && view.getUint32(12) === 0x666d7420
  return isWav ? view.getUint32(24, true) : null
}

function planes(audio: AudioBuffer): { left: Int16Array; right: Int16Array } {
  const left = to16(audio.getChannelData(0))
  return { left, right: audio.numberOfChannels > 1 ? to16(audio.getChannelData(1)) : left.slice() }
}

function to16(samples: Float32Array): Int16Array {
  const result = new Int16Array(samples.length)
  for (let at = 0; at < samples.length; at += 1) {
    result[at] = Math.max(-32768, Math.min(32767, Math.round((samples[at] ?? 0) * 32768)))
  }
  return result
}
