/** What the head of a FLAC file says. */
export interface FlacHead {
  sampleRate_hz: number
  channels: number
  /** Frames of the whole file; 0 where it does not say. */
  frames: number
  /** Frames of a block, when all but the last have the same. */
  blockFrames: number
  /** Signature and STREAMINFO, to be put before a run of blocks so that it is a file of its own. */
  bytes: Uint8Array<ArrayBuffer>
  /** Where the first block begins. */
  end: number
}

const SIGNATURE = 0x664c6143
const STREAMINFO_BYTES = 34
const LAST_BLOCK = 0x80

/** Reads the head; null where more bytes are needed. Throws for what is no FLAC. */
export function readHead(bytes: Uint8Array): FlacHead | null {
  if (bytes.length < 8 + STREAMINFO_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0) !== SIGNATURE || (view.getUint8(4) & ~LAST_BLOCK) !== 0) throw new Error('this is no FLAC file')
  let end = 4
  for (let isLast = false; !isLast; ) {
    if (end + 4 > bytes.length) return null
    isLast = (view.getUint8(end) & LAST_BLOCK) !== 0
    end += 4 + (view.getUint32(end) & 0xffffff)
  }
  if (end > bytes.length) return null
  const head = new Uint8Array(8 + STREAMINFO_BYTES)
  head.set(bytes.subarray(0, head.length))
  head[4] = LAST_BLOCK
  // A part has neither the length nor the checksum of the whole: "unknown" is allowed for both.
  head[21] = (head[21] ?? 0) & 0xf0
  head.fill(0, 22)
  const packed = view.getUint32(18)
  return {
    sampleRate_hz: packed >>> 12,
    channels: ((packed >>> 9) & 7) + 1,
    frames: (view.getUint8(21) & 15) * 2 ** 32 + view.getUint32(22),
    blockFrames: view.getUint16(8),
    bytes: head,
    end,
  }
}

/** The number that a block says it has, or -1 where no block begins. Its header has a checksum, so that this is sure. */
export function blockNumber(bytes: Uint8Array, at: number): number {
  // Fixed block size, and the bits that must be 0.
  if (bytes[at] !== 0xff || bytes[at + 1] !== 0xf8 || at + 16 > bytes.length) return -1
  const size = (bytes[at + 2] ?? 0) >> 4
  const rate = (bytes[at + 2] ?? 0) & 15
  if (size === 0 || rate === 15 || ((bytes[at + 3] ?? 0) & 1) !== 0) return -1
  const first = bytes[at + 4] ?? 0
  const length = first < 0x80 ? 1 : Math.clz32(~(first << 24))
  if (length > 7 || (first >= 0x80 && length < 2)) return -1
  let number = first < 0x80 ? first : first & (0x7f >> length)
  for (let index = 1; index < length; index += 1) {
    const next = bytes[at + 4 + index] ?? 0
    if (next >> 6 !== 2) return -1
    number = number * 64 + (next & 63)
  }
  let end = at + 4 + length
  end += size === 6 ? 1 : size === 7 ? 2 : 0
  end += rate === 12 ? 1 : rate === 13 || rate === 14 ? 2 : 0
  if (end >= bytes.length || crc8(bytes, at, end) !== bytes[end]) return -1
  return number
}

/** Where the block of this number begins, from `from` on; -1 where it does not within these bytes. */
export function findBlock(bytes: Uint8Array, number: number, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (blockNumber(bytes, at) === number) return at
  }
  return -1
}

export function crc8(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0
  for (let at = start; at < end; at += 1) {
    crc ^= bytes[at] ?? 0
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1
  }
  return crc
}
