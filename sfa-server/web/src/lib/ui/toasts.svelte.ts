import { Failure } from '$lib/api/client'

/** A message that is shown for a while. */
export interface Toast {
  id: number
  kind: 'done' | 'failed'
  text: string
  requestId?: string
}

const SHOWN_MS = 6000

class Toasts {
  list = $state.raw<Toast[]>([])
  #last = 0

  done(text: string): void {
    const toast: Toast = { id: ++this.#last, kind: 'done', text }
    this.list = [...this.list, toast]
    setTimeout(() => this.close(toast.id), SHOWN_MS)
  }

  /** Failures stay until they are closed. */
  fail(cause: unknown): void {
    const { message, requestId } = Failure.from(cause)
    if (this.list.some(({ text }) => text === message)) return
    this.list = [...this.list, { id: ++this.#last, kind: 'failed', text: message, ...(requestId ? { requestId } : {}) }]
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id)
  }
}

/** Short messages about what has just been done. */
export const toasts = new Toasts()
