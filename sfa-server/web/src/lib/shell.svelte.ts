/** The service worker, which keeps the page itself for times without a server. */
class Shell {
  /** Whether the server has another studio than the one that is open. */
  isNewer = $state(false)
  #newer: ServiceWorker | null = null

  open(): void {
    if (import.meta.env.DEV || !('serviceWorker' in navigator)) return
    addEventListener('load', () => void this.#register())
  }

  async #register(): Promise<void> {
    const registration = await navigator.serviceWorker.register('/sw.js').catch(() => null)
    if (!registration) return
    if (registration.waiting) this.#found(registration.waiting)
    registration.addEventListener('updatefound', () => {
      const { installing } = registration
      installing?.addEventListener('statechange', () => {
        if (installing.state === 'installed' && navigator.serviceWorker.controller) this.#found(installing)
      })
    })
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) registration.update().catch(() => {})
    })
  }

  #found(worker: ServiceWorker): void {
    this.#newer = worker
    this.isNewer = true
  }

  /** Changes over, on the wish of whoever is working here. */
  takeNewer(): void {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload())
    this.#newer?.postMessage('take over')
  }
}

export const shell = new Shell()
