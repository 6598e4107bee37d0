/** The rows of a long list that are worth having in the page. */
export interface Window {
  first: number
  count: number
}

/** Rows above and below what is seen, so that scrolling does not show gaps. */
const SPARE = 4

export function windowOf(total: number, row_px: number, scrolled_px: number, height_px: number): Window {
  const first = Math.max(0, Math.floor(scrolled_px / row_px) - SPARE)
  const last = Math.min(total, Math.ceil((scrolled_px + height_px) / row_px) + SPARE)
  return { first: Math.min(first, total), count: Math.max(0, last - first) }
}

/** The ids that a click with Shift selects: all from where the last click was. */
export function rangeOf(ids: readonly string[], from: string | null, to: string): string[] {
  const [a, b] = [from === null ? -1 : ids.indexOf(from), ids.indexOf(to)]
  if (a < 0 || b < 0) return [to]
  return ids.slice(Math.min(a, b), Math.max(a, b) + 1)
}
