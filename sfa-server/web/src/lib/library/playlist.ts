import { parse, type Entry } from './query'

/** The songs of a playlist: those that its rules find, or those that were put in by hand, in their order. */
export function entriesOf(rules: string | null | undefined, tracks: readonly string[], all: readonly Entry[]): Entry[] {
  if (rules) {
    const { test } = parse(rules)
    return all.filter(test)
  }
  const byId = new Map(all.map((entry) => [entry.song.id, entry]))
  return tracks.map((id) => byId.get(id)).filter((entry) => entry !== undefined)
}

/** The same order with some songs moved before another one, or to the end. What is moved stays in its own order. */
export function moved(order: readonly string[], ids: readonly string[], before: string | null): string[] {
  const wanted = new Set(ids)
  const moving = order.filter((id) => wanted.has(id))
  const rest = order.filter((id) => !wanted.has(id))
  // The first that stays, from where they are dropped.
  const target = before === null ? undefined : order.slice(order.indexOf(before)).find((id) => !wanted.has(id))
  const at = target === undefined ? rest.length : rest.indexOf(target)
  return [...rest.slice(0, at), ...moving, ...rest.slice(at)]
}

/** The same order with some songs one place further up or down, as far as it goes. */
export function nudged(order: readonly string[], ids: readonly string[], by: 1 | -1): string[] {
  const wanted = new Set(ids)
  const result = [...order]
  const places = order.map((id, at) => ({ id, at })).filter(({ id }) => wanted.has(id))
  for (const { id } of by > 0 ? places.reverse() : places) {
    const at = result.indexOf(id)
    const neighbour = result[at + by]
    if (neighbour === undefined || wanted.has(neighbour)) continue
    ;[result[at], result[at + by]] = [neighbour, id]
  }
  return result
}
