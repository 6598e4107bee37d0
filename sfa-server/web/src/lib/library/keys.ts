/** The same key as Open Key writes it: 8A is 1m. */
export function camelotToOpenKey(camelot: string | null | undefined): string | null {
  const parts = /^(\d{1,2})([AB])$/.exec(camelot ?? '')
  if (!parts) return null
  return `${((Number(parts[1]) + 4) % 12) + 1}${parts[2] === 'A' ? 'm' : 'd'}`
}
