/** Where a room is: a pattern such as `/tracks/:id`. */
export interface Place<Name extends string> {
  name: Name
  pattern: string
  /** What this address says of the room without naming it. */
  parameters?: Record<string, string>
}

/** What an address means: the room, and what its pattern left open. */
export interface Match<Name extends string> {
  name: Name
  parameters: Record<string, string>
}

/** Finds the first place that an address lies in. */
export function match<Name extends string>(places: readonly Place<Name>[], path: string): Match<Name> | null {
  const parts = path.split('/').filter(Boolean)
  for (const { name, pattern, parameters: given } of places) {
    const wanted = pattern.split('/').filter(Boolean)
    if (wanted.length !== parts.length) continue
    const parameters: Record<string, string> = { ...given }
    const fits = wanted.every((want, at) => {
      const part = parts[at] ?? ''
      if (!want.startsWith(':')) return want === part
      try {
        parameters[want.slice(1)] = decodeURIComponent(part)
        return true
      } catch {
        return false
      }
    })
    if (fits) return { name, parameters }
  }
  return null
}

/** All rooms of the studio. */
export const PLACES = [
  { name: 'library', pattern: '/' },
  { name: 'library', pattern: '/recent', parameters: { recent: 'yes' } },
  { name: 'library', pattern: '/artists/:artist' },
  { name: 'library', pattern: '/albums/:album' },
  { name: 'library', pattern: '/playlists/:playlist' },
  { name: 'shelf', pattern: '/artists', parameters: { by: 'artist' } },
  { name: 'shelf', pattern: '/albums', parameters: { by: 'album' } },
  { name: 'track', pattern: '/tracks/:id' },
  { name: 'inspector', pattern: '/inspector' },
  { name: 'inspector', pattern: '/inspector/:part' },
  { name: 'inspector', pattern: '/inspector/:part/:job' },
  { name: 'link', pattern: '/link/:page' },
  { name: 'settings', pattern: '/settings' },
  { name: 'settings', pattern: '/settings/:part' },
  { name: 'admin', pattern: '/admin' },
  { name: 'admin', pattern: '/admin/:part' },
] as const satisfies Place<string>[]

export type Room = (typeof PLACES)[number]['name']
