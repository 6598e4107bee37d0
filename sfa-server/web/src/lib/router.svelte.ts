import { match, PLACES, type Match, type Room } from './places'

class Router {
  #address = $state.raw(new URL(location.href))
  // What follows the path does not move when only a choice within the room does.
  #path = $derived(this.#address.pathname)
  #room = $derived(match(PLACES, this.#path))

  constructor() {
    addEventListener('popstate', () => (this.#address = new URL(location.href)))
    addEventListener('click', (event) => this.#follow(event))
  }

  get path(): string {
    return this.#path
  }

  get room(): Match<Room> | null {
    return this.#room
  }

  query(name: string): string {
    return this.#address.searchParams.get(name) ?? ''
  }

  go(to: string): void {
    if (to === location.pathname + location.search) return
    history.pushState(null, '', to)
    this.#address = new URL(location.href)
    scrollTo(0, 0)
  }

  /** Keeps a choice within a room in its address, without a step in the history. */
  setQuery(name: string, value: string): void {
    const address = new URL(location.href)
    // Browsers stand for so many changes a minute.
    if ((address.searchParams.get(name) ?? '') === value) return
    if (value) address.searchParams.set(name, value)
    else address.searchParams.delete(name)
    history.replaceState(null, '', address)
    this.#address = address
  }

  /** Links within the studio change the room; all others, and those for another tab, are the browser's. */
  #follow(event: MouseEvent): void {
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    const link = (event.target as Element | null)?.closest?.('a[href]')
    if (!isPlain || event.defaultPrevented || !(link instanceof HTMLAnchorElement)) return
    const isOurs = link.origin === location.origin && !link.target && !link.hasAttribute('download')
    if (!isOurs || link.pathname.startsWith('/api/')) return
    event.preventDefault()
    this.go(link.pathname + link.search)
  }
}

/** The room that is shown. */
export const router = new Router()
