/** How songs are shown. */
export const VIEWS = [
  { id: 'detail', name: 'Rows', row_px: 44 },
  { id: 'compact', name: 'Small rows', row_px: 32 },
  { id: 'grid', name: 'Cards', row_px: 112 },
] as const
export type View = (typeof VIEWS)[number]['id']

const KEPT = 'sfa.library-view'

class ViewState {
  #current = $state<View>(VIEWS.find(({ id }) => id === localStorage.getItem(KEPT))?.id ?? 'detail')

  get current(): View {
    return this.#current
  }

  set current(view: View) {
    this.#current = view
    localStorage.setItem(KEPT, view)
  }

  get row_px(): number {
    return VIEWS.find(({ id }) => id === this.#current)?.row_px ?? 44
  }

  next(): void {
    const at = VIEWS.findIndex(({ id }) => id === this.#current)
    this.current = VIEWS[(at + 1) % VIEWS.length]?.id ?? 'detail'
  }
}

/** How songs are shown in this browser. */
export const view = new ViewState()
