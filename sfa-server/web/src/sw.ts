/*
 * Keeps the page itself for times without a server. Answers of the API and songs are never kept: what is shown is what the
 * server says, or that it says nothing.
 */

/** Addresses of all that the page is made of; put in when it is built. */
declare const __SHELL__: string[]

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void
}

interface Fetching extends Extendable {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}

/** As much as is needed of what TypeScript's library for pages does not know. */
interface Scope {
  addEventListener(kind: 'install' | 'activate', act: (event: Extendable) => void): void
  addEventListener(kind: 'fetch', act: (event: Fetching) => void): void
  addEventListener(kind: 'message', act: (event: MessageEvent) => void): void
  skipWaiting(): Promise<void>
  clients: { claim(): Promise<void> }
  location: Location
}

const scope = self as unknown as Scope
const FILES = __SHELL__
/** What is made of other files is another studio. */
const CACHE = `studio ${FILES.join(' ')}`

scope.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((url) => new Request(url, { cache: 'reload' })))))
})

// Pages of the studio before have gone by now, unless they asked for this one.
scope.addEventListener('activate', (event) => {
  const forget = async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name)
    await scope.clients.claim()
  }
  event.waitUntil(forget())
})

scope.addEventListener('message', ({ data }) => {
  if (data === 'take over') void scope.skipWaiting()
})

scope.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== scope.location.origin) return
  const isPage = request.mode === 'navigate' && !/^\/(api|files|health|ready)(\/|$)/.test(pathname)
  if (isPage) event.respondWith(fetch(request).catch(() => kept('/', request)))
  else if (pathname !== '/' && FILES.includes(pathname)) event.respondWith(kept(pathname, request))
})

async function kept(url: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  return (await cache.match(url)) ?? fetch(request)
}
