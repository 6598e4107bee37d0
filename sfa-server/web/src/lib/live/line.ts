/** What the server sends. */
export type Piece =
  | { type: 'snapshot'; topic: string; seq: number; data: unknown }
  | { type: 'event'; topic: string; seq: number; kind: string; payload: unknown }
  | { type: 'error'; topic?: string; code: string; message: string }

/** What is told to a follower: how it is, or what happened. */
export type News = Extract<Piece, { type: 'snapshot' | 'event' }>
export type Follower = (news: News) => void

/** As much of a WebSocket as is needed. */
export interface Wire {
  /** 1 while it can be sent over, as a WebSocket says it. */
  readonly readyState?: number
  send(text: string): void
  close(): void
  onopen: (() => void) | null
  onmessage: ((message: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 10_000
/** The server's word for "not signed in any more". */
const NOT_SIGNED_IN = 4401

interface Followed {
  /** The last number that was heard; undefined until there was a snapshot. */
  seq: number | undefined
  followers: Set<Follower>
}

/** One connection for everything that is followed. It comes back by itself and goes on where it was. */
export class Line {
  #topics = new Map<string, Followed>()
  #wire: Wire | null = null
  #isOpen = false
  #isWanted = false
  #wait_ms = FIRST_WAIT_MS
  #timer: ReturnType<typeof setTimeout> | undefined

  /**
   * @param dial opens a connection
   * @param onChange is told whether it stands
   * @param onRefused is called when the server wants nothing more of this caller
   */
  constructor(
    private readonly dial: () => Wire,
    private readonly onChange: (isOpen: boolean) => void,
    private readonly onRefused: () => void,
  ) {}

  open(): void {
    if (this.#isWanted) return
    this.#isWanted = true
    this.#connect()
  }

  close(): void {
    this.#isWanted = false
    clearTimeout(this.#timer)
    this.#topics.clear()
    const wire = this.#wire
    this.#wire = null
    this.#isOpen = false
    wire?.close()
  }

  /** Tries now what would be tried later: the network is there again. */
  hurry(): void {
    if (!this.#isWanted || this.#wire) return
    clearTimeout(this.#timer)
    this.#connect()
  }

  /** Follows a topic until the function that is returned is called. */
  follow(topic: string, follower: Follower): () => void {
    let followed = this.#topics.get(topic)
    if (followed) {
      // A newcomer needs a snapshot; those who were there take it as well.
      followed.seq = undefined
      followed.followers.add(follower)
    } else {
      followed = { seq: undefined, followers: new Set([follower]) }
      this.#topics.set(topic, followed)
    }
    this.#subscribe(topic, followed)
    return () => {
      followed.followers.delete(follower)
      if (followed.followers.size > 0 || this.#topics.get(topic) !== followed) return
      this.#topics.delete(topic)
      this.#say({ type: 'unsubscribe', topic })
    }
  }

  #connect(): void {
    const wire = this.dial()
    this.#wire = wire
    wire.onopen = () => {
      this.#isOpen = true
      this.#wait_ms = FIRST_WAIT_MS
      for (const [topic, followed] of this.#topics) this.#subscribe(topic, followed)
      this.onChange(true)
    }
    wire.onmessage = ({ data }) => this.#hear(JSON.parse(String(data)) as Piece)
    wire.onclose = ({ code }) => {
      if (this.#wire !== wire) return
      this.#wire = null
      this.#isOpen = false
      this.onChange(false)
      if (code === NOT_SIGNED_IN) {
        this.#isWanted = false
        this.onRefused()
      } else if (this.#isWanted) {
        this.#timer = setTimeout(() => this.#connect(), this.#wait_ms)
        this.#wait_ms = Math.min(this.#wait_ms * 2, LONGEST_WAIT_MS)
      }
    }
  }

  #subscribe(topic: string, followed: Followed): void {
    this.#say({ type: 'subscribe', topic, ...(followed.seq === undefined ? {} : { after: followed.seq }) })
  }

  #say(command: object): void {
    // One that the server is closing is still open as far as this end was told.
    if (this.#isOpen && (this.#wire?.readyState ?? 1) === 1) this.#wire?.send(JSON.stringify(command))
  }

  #hear(piece: Piece): void {
    if (piece.type === 'error') return
    const followed = this.#topics.get(piece.topic)
    if (!followed) return
    if (piece.type === 'event') {
      // Before the snapshot, or told twice.
      if (followed.seq === undefined || piece.seq <= followed.seq) return
      if (piece.seq > followed.seq + 1) {
        followed.seq = undefined
        this.#subscribe(piece.topic, followed)
        return
      }
    }
    followed.seq = piece.seq
    for (const follower of [...followed.followers]) follower(piece)
  }
}
