/** How songs are named while they are dragged within the studio. */
const TYPE = 'application/x-sfa-songs'

export function startDrag(event: DragEvent, ids: readonly string[]): void {
  event.dataTransfer?.setData(TYPE, JSON.stringify(ids))
  if (event.dataTransfer) event.dataTransfer.effectAllowed = 'copyMove'
}

export function hasSongs(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes(TYPE) ?? false
}

export function songsOf(event: DragEvent): string[] {
  try {
    return JSON.parse(event.dataTransfer?.getData(TYPE) ?? '[]') as string[]
  } catch {
    return []
  }
}
