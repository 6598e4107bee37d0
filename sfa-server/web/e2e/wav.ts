/** What is in a WAV file of 16 or 24 bits. */
export interface Wav {
  rate_hz: number
  left: Float64Array
  right: Float64Array
}

export function readWav(file: Buffer): Wav {
  const rate_hz = file.readUInt32LE(24)
  const bytes = file.readUInt16LE(34) / 8
  const start = file.indexOf('data') + 8
  const frames = Math.floor(Math.min(file.readUInt32LE(start - 4), file.length - start) / (2 * bytes))
  const side = (offset: number) => Float64Array.from({ length: frames }, (_, at) => file.readIntLE(start + (at * 2 + offset) * bytes, bytes) / 2 ** (8 * bytes - 1))
  return { rate_hz, left: side(0), right: side(1) }
}

/** A stereo file of 16 bits with one tone in it. */
export function toneWav(tone_hz: number, secs: number): Buffer {
  const rate_hz = 44_100
  const file = Buffer.alloc(44 + rate_hz * secs * 4)
  file.write('RIFF', 0)
  file.writeUInt32LE(file.length - 8, 4)
  file.write('WAVEfmt ', 8)
  for (const [at, value] of [[16, 16], [24, rate_hz], [28, rate_hz * 4], [40, file.length - 44]] as const) file.writeUInt32LE(value, at)
  for (const [at, value] of [[20, 1], [22, 2], [32, 4], [34, 16]] as const) file.writeUInt16LE(value, at)
  file.write('data', 36)
  for (let frame = 0; frame < rate_hz * secs; frame += 1) {
    const sample = Math.round(12_000 * Math.sin((2 * Math.PI * tone_hz * frame) / rate_hz))
    file.writeInt16LE(sample, 44 + frame * 4)
    file.writeInt16LE(sample, 46 + frame * 4)
  }
  return file
}

/** The strongest difference of two signals against full scale. */
export function residual_db(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) most = Math.max(most, Math.abs((a[at] ?? 0) - (b[at] ?? 0)))
  return 20 * Math.log10(most + 1e-9)
}

/** The pitch of a tone, by how often it rises through zero in its middle half. */
export function pitch_hz({ left, rate_hz }: Wav): number {
  const [from, to] = [Math.round(left.length / 4), Math.round((left.length * 3) / 4)]
  let rises = 0
  for (let at = from; at < to; at += 1) if ((left[at - 1] ?? 0) < 0 && (left[at] ?? 0) >= 0) rises += 1
  return (rises * rate_hz) / (to - from)
}
