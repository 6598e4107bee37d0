import { session } from '$lib/session.svelte'
import { Line, type Follower, type Wire } from './line'

class Live {
  /** Whether news comes in; true until a connection was lost. */
  isConnected = $state(true)
  #line = new Line(
    () => new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/live`) as unknown as Wire,
    (isOpen) => (this.isConnected = isOpen),
    () => void session.lookAgain().then(() => session.me && this.#line.open()),
  )

  constructor() {
    addEventListener('online', () => this.#line.hurry())
  }

  open(): void {
    this.#line.open()
  }

  close(): void {
    this.#line.close()
    this.isConnected = true
  }

  follow(topic: string, follower: Follower): () => void {
    return this.#line.follow(topic, follower)
  }
}

/** What happens on the server, as it happens. */
export const live = new Live()
