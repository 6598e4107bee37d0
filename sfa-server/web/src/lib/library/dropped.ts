/** Within a dropped folder only these are taken; a file that was chosen by itself is always sent. */
const AUDIO = /\.(aac|aif|aiff|alac|caf|flac|m4a|mka|mp3|mp4|oga|ogg|opus|wav|webm|wma)$/i

/** The files that were dropped, and the songs in folders that were. */
export async function filesOf(transfer: DataTransfer): Promise<File[]> {
  // Entries are gone after the first wait.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (entries.length === 0) return [...transfer.files]
  const files = await Promise.all(entries.map((entry) => (entry.isFile ? one(entry as FileSystemFileEntry) : within(entry))))
  return files.flat()
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
