import { expect, test } from 'vitest'
import { blockNumber, crc8, findBlock, readHead } from './flac'

/** A head of 44.1 kHz, stereo, 16 bits, blocks of 4096, and one more block of metadata after it. */
function head(frames: number): number[] {
  const info = new Uint8Array(34).fill(0xab)
  const view = new DataView(info.buffer)
  view.setUint16(0, 4096)
  view.setUint16(2, 4096)
  view.setUint32(10, ((44_100 << 12) | (1 << 9) | (15 << 4)) >>> 0)
  view.setUint32(14, frames)
  return [0x66, 0x4c, 0x61, 0x43, 0, 0, 0, 34, ...info, 0x84, 0, 0, 2, 0xff, 0xf8]
}

/** The header of a block of 4096 frames with the number written as UTF-8 writes letters, then what could mislead. */
function block(number: number): number[] {
  const coded = number < 0x80 ? [number] : [0xc0 | (number >> 6), 0x80 | (number & 63)]
  const header = [0xff, 0xf8, 0xc9, 0x18, ...coded]
  return [...header, crc8(Uint8Array.from(header), 0, header.length), ...Array(20).fill(0xff), 0xff, 0xf8, 0xc9, 0x18]
}

test('the head says what is needed, and becomes the head of a part', () => {
  const bytes = Uint8Array.from([...head(100_000), ...block(0)])
  const found = readHead(bytes)
  expect(found).toMatchObject({ sampleRate_hz: 44_100, channels: 2, frames: 100_000, blockFrames: 4096, end: 48 })
  const part = readHead(found?.bytes ?? bytes)
  expect(part).toMatchObject({ sampleRate_hz: 44_100, channels: 2, frames: 0, end: 42 })
})

test('a head that has not come whole is waited for, and what is none is refused', () => {
  for (const length of [0, 10, 41, 47]) expect(readHead(Uint8Array.from(head(1)).subarray(0, length))).toBeNull()
  expect(() => readHead(new Uint8Array(100))).toThrow('no FLAC')
})

test('blocks are found by their numbers, never by what only looks like one', () => {
  const bytes = Uint8Array.from([...block(126), ...block(127), ...block(128), ...block(1000), ...Array(16).fill(0)])
  const at = (number: number) => findBlock(bytes, number, 0)
  expect([at(126), at(127), at(128), at(1000)].map((place) => blockNumber(bytes, place))).toEqual([126, 127, 128, 1000])
  expect(at(5)).toBe(-1)
  expect(blockNumber(bytes, at(127) + 1)).toBe(-1)
})

test('no bytes make it fail', () => {
  let seed = 1
  const bytes = Uint8Array.from({ length: 20_000 }, () => (seed = (seed * 48_271) % 2_147_483_647) & 255)
  for (let at = 0; at < bytes.length; at += 3) bytes[at] = 0xff
  expect(findBlock(bytes, 99, 0)).toBe(-1)
})
