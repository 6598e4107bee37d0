/** A note of a MIDI file; times are in seconds. */
export interface MidiNote {
  start_secs: number
  end_secs: number
  /** 60 is middle C. */
  pitch: number
  /** 1 to 127. */
  velocity: number
}

const USUAL_BEAT_US = 500_000

interface Tempo {
  tick: number
  beat_us: number
}

/**
 * The notes of a standard MIDI file.
 *
 * @throws {Error} where it is none
 */
export function readMidi(file: ArrayBuffer): MidiNote[] {
  const bytes = new Bytes(new DataView(file))
  if (bytes.text(4) !== 'MThd' || bytes.number(4) < 6) throw new Error('this is no MIDI file')
  bytes.skip(2)
  const tracks = bytes.number(2)
  const ticksPerBeat = bytes.number(2)
  if (ticksPerBeat === 0 || ticksPerBeat >= 0x8000) throw new Error('this MIDI file counts film frames instead of beats')
  const tempos: Tempo[] = []
  const notes: { on: number; off: number; pitch: number; velocity: number }[] = []
  for (let track = 0; track < tracks && !bytes.isAtEnd; track += 1) {
    const isTrack = bytes.text(4) === 'MTrk'
    const length = bytes.number(4)
    if (isTrack) readTrack(bytes.part(length), tempos, notes)
    bytes.skip(length)
  }
  const secs = clockOf(tempos, ticksPerBeat)
  return notes
    .map(({ on, off, pitch, velocity }) => ({ start_secs: secs(on), end_secs: secs(off), pitch, velocity }))
    .sort((a, b) => a.start_secs - b.start_secs)
}

function readTrack(bytes: Bytes, tempos: Tempo[], notes: { on: number; off: number; pitch: number; velocity: number }[]): void {
  const open = new Map<number, { on: number; velocity: number }>()
  let tick = 0
  let running = 0
  while (!bytes.isAtEnd) {
    tick += bytes.length()
    const status = bytes.peek() >= 0x80 ? bytes.number(1) : running
    if (status === 0xff) {
      const kind = bytes.number(1)
      const length = bytes.length()
      if (kind === 0x51 && length === 3) tempos.push({ tick, beat_us: bytes.part(3).number(3) })
      bytes.skip(length)
      continue
    }
    if (status === 0xf0 || status === 0xf7) {
      bytes.skip(bytes.length())
      continue
    }
    running = status
    const kind = status >> 4
    const first = bytes.number(1)
    if (kind === 0xc || kind === 0xd) continue
    const second = bytes.number(1)
    if (kind !== 0x8 && kind !== 0x9) continue
    const key = ((status & 0xf) << 7) | first
    const begun = open.get(key)
    if (begun) notes.push({ on: begun.on, off: tick, pitch: first, velocity: begun.velocity })
    open.delete(key)
    if (kind === 0x9 && second > 0) open.set(key, { on: tick, velocity: second })
  }
}

/** Turns ticks into seconds over all changes of the tempo. */
function clockOf(tempos: Tempo[], ticksPerBeat: number): (tick: number) => number {
  const changes = [{ tick: 0, beat_us: USUAL_BEAT_US }, ...tempos.sort((a, b) => a.tick - b.tick)]
  let secs = 0
  const marks = changes.map(({ tick, beat_us }, at) => {
    const before = changes[at - 1]
    if (before) secs += ((tick - before.tick) * before.beat_us) / ticksPerBeat / 1e6
    return { tick, beat_us, secs }
  })
  return (tick) => {
    const mark = marks.findLast((mark) => mark.tick <= tick) ?? { tick: 0, beat_us: USUAL_BEAT_US, secs: 0 }
    return mark.secs + ((tick - mark.tick) * mark.beat_us) / ticksPerBeat / 1e6
  }
}

/** Reads numbers one after the other; beyond the end there are only zeros. */
class Bytes {
  #at = 0
  constructor(private readonly view: DataView) {}

  get isAtEnd(): boolean {
    return this.#at >= this.view.byteLength
  }

  peek(): number {
    return this.isAtEnd ? 0 : this.view.getUint8(this.#at)
  }

  number(count: number): number {
    let value = 0
    for (let index = 0; index < count; index += 1) {
      value = value * 256 + this.peek()
      this.#at += 1
    }
    return value
  }

  /** A number of seven bits a byte. */
  length(): number {
    let value = 0
    for (let index = 0; index < 4; index += 1) {
      const byte = this.number(1)
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) break
    }
    return value
  }

  text(count: number): string {
    return String.fromCharCode(...Array.from({ length: count }, () => this.number(1)))
  }

  part(count: number): Bytes {
    const start = Math.min(this.#at, this.view.byteLength)
    return new Bytes(new DataView(this.view.buffer, this.view.byteOffset + start, Math.min(count, this.view.byteLength - start)))
  }

  skip(count: number): void {
    this.#at += count
  }
}
