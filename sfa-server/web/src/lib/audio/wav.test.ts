import { expect, test } from 'vitest'
import { encodeWav } from './wav'

async function samplesOf(file: Blob): Promise<number[]> {
  const view = new DataView(await file.arrayBuffer())
  expect(view.getUint32(4, true)).toBe(view.byteLength - 8)
  expect(view.getUint32(24, true)).toBe(48_000)
  const count = view.getUint32(40, true) / 3
  return Array.from({ length: count }, (_, at) => (view.getUint8(44 + at * 3) + view.getInt16(45 + at * 3, true) * 256) / 2 ** 23)
}

test('samples come back to 24 bits, left before right', async () => {
  const { file, lowered_db } = encodeWav(Float32Array.of(0.5, -1), Float32Array.of(-0.25, 0.125), 48_000)
  expect(await samplesOf(file)).toEqual([0.5, -0.25, -1, 0.125])
  expect(lowered_db).toBe(0)
})

test('what is too loud is lowered as a whole', async () => {
  const { file, lowered_db } = encodeWav(Float32Array.of(2, 1), Float32Array.of(0, 0), 48_000)
  const [first, , second] = await samplesOf(file)
  expect(first).toBeCloseTo(1, 5)
  expect(second).toBeCloseTo(0.5, 5)
  expect(lowered_db).toBeCloseTo(6.02, 2)
})
