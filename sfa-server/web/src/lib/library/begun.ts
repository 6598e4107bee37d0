/** An upload that has a place at the server, kept in the browser so that it goes on after a reload. */
export interface Begun {
  place: string
  name: string
  size_bytes: number
}

/** Uploads by the mark of their file. */
type All = Record<string, Begun>

/** Tells a file from others without reading it. */
export function markOf({ name, size, lastModified }: Pick<File, 'name' | 'size' | 'lastModified'>): string {
  return `${name} ${size} ${lastModified}`
}

/** What one user has begun to upload from this browser. */
export class BegunUploads {
  readonly #key: string

  constructor(user: string) {
    this.#key = `sfa.uploads.${user}`
  }

  all(): All {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? '{}') as All
    } catch {
      return {}
    }
  }

  find(mark: string): Begun | undefined {
    return this.all()[mark]
  }

  keep(mark: string, begun: Begun): void {
    this.#set({ ...this.all(), [mark]: begun })
  }

  forget(mark: string): void {
    const { [mark]: _, ...others } = this.all()
    this.#set(others)
  }

  #set(all: All): void {
    if (Object.keys(all).length === 0) localStorage.removeItem(this.#key)
    else localStorage.setItem(this.#key, JSON.stringify(all))
  }
}
