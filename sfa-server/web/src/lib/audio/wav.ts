const HEAD_BYTES = 44
const SAMPLE_BYTES = 3
const FULL_SCALE = 2 ** 23

/**
 * A stereo file of 24 bits, which needs no dither to be as exact as anything before it. What is louder than full scale is
 * lowered as a whole and not clipped; `lowered_db` says by how much.
 */
export function encodeWav(left: Float32Array, right: Float32Array, rate_hz: number): { file: Blob; lowered_db: number } {
  const peak = Math.max(peakOf(left), peakOf(right))
  const scale = peak > 1 ? 1 / peak : 1
  const bytes = left.length * 2 * SAMPLE_BYTES
  const view = new DataView(new ArrayBuffer(HEAD_BYTES + bytes))
  const text = (at: number, letters: string) => [...letters].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)))
  text(0, 'RIFF')
  view.setUint32(4, HEAD_BYTES - 8 + bytes, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 2, true)
  view.setUint32(24, rate_hz, true)
  view.setUint32(28, rate_hz * 2 * SAMPLE_BYTES, true)
  view.setUint16(32, 2 * SAMPLE_BYTES, true)
  view.setUint16(34, 8 * SAMPLE_BYTES, true)
  text(36, 'data')
  view.setUint32(40, bytes, true)
  let at = HEAD_BYTES
  for (let frame = 0; frame < left.length; frame += 1) {
    for (const side of [left, right]) {
      const value = Math.min(FULL_SCALE - 1, Math.round((side[frame] ?? 0) * scale * FULL_SCALE))
      view.setUint8(at, value & 0xff)
      view.setInt16(at + 1, value >> 8, true)
      at += SAMPLE_BYTES
    }
  }
  return { file: new Blob([view], { type: 'audio/wav' }), lowered_db: peak > 1 ? 20 * Math.log10(peak) : 0 }
}

function peakOf(samples: Float32Array): number {
  let peak = 0
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample))
  return peak
}
