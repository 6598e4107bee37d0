import { SvelteMap } from 'svelte/reactivity'
import { toasts } from '$lib/ui/toasts.svelte'
import { isOfText, isPressed, isSingle } from './shortcut'

/** A number that an action needs, with its bounds: what a fader, a knob or an agent may send. */
export interface Argument {
  name: string
  least: number
  most: number
}

/** One thing that the studio can do. Buttons, keys and the palette all come here to have it done. */
export interface Action {
  /** For programs, such as `player.toggle`. */
  id: string
  name: string
  group: string
  shortcuts?: readonly string[]
  argument?: Argument
  /** Whether it can be done now; always where absent. */
  isPossible?: () => boolean
  run: (value: number) => void | Promise<void>
}

const SINGLE_KEYS = 'sfa.single-keys'

class Actions {
  #byId = new SvelteMap<string, Action>()
  #hasSingleKeys = $state(localStorage.getItem(SINGLE_KEYS) !== 'off')

  /** Whether keys do something without Ctrl, Cmd or Alt. */
  get hasSingleKeys(): boolean {
    return this.#hasSingleKeys
  }

  set hasSingleKeys(has: boolean) {
    this.#hasSingleKeys = has
    localStorage.setItem(SINGLE_KEYS, has ? 'on' : 'off')
  }

  get all(): Action[] {
    return [...this.#byId.values()]
  }

  get(id: string): Action | undefined {
    return this.#byId.get(id)
  }

  /** Adds actions for as long as a room is open. Returns how to take them away. */
  add(actions: readonly Action[]): () => void {
    for (const action of actions) this.#byId.set(action.id, action)
    return () => {
      for (const action of actions) if (this.#byId.get(action.id) === action) this.#byId.delete(action.id)
    }
  }

  can(id: string): boolean {
    const action = this.#byId.get(id)
    return action !== undefined && (action.isPossible?.() ?? true)
  }

  /** Does it, if it can be done now; a value is kept within the bounds of the argument. */
  async run(id: string, value = 0): Promise<void> {
    const action = this.#byId.get(id)
    if (!action || !this.can(id)) return
    const { argument } = action
    try {
      await action.run(argument ? Math.min(Math.max(value, argument.least), argument.most) : value)
    } catch (cause) {
      toasts.fail(cause)
    }
  }

  press(event: KeyboardEvent): void {
    if (event.defaultPrevented || document.querySelector('dialog[open]')) return
    const target = event.target as HTMLElement
    const input = target instanceof HTMLInputElement ? target.type : ''
    const isSlider = input === 'range'
    const isBox = input === 'checkbox' || input === 'radio'
    const isTyping = target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !isBox)
    // Space and Enter are how a focused button or box is pressed, arrows are how a slider or a choice is moved.
    const isMoved = target.closest('[role="slider"]') !== null || isSlider || input === 'radio'
    const isControl = target.closest('button, a, summary') !== null || isMoved || isBox
    for (const action of this.#byId.values()) {
      const shortcut = action.shortcuts?.find((shortcut) => isPressed(shortcut, event))
      if (!shortcut || !this.can(action.id)) continue
      if (isTyping && !isSlider && isOfText(shortcut)) continue
      if (isSingle(shortcut)) {
        if (!this.#hasSingleKeys || (isTyping && !isSlider)) continue
        if (isControl && /^(space|enter)/.test(shortcut)) continue
        if (isMoved && shortcut.startsWith('arrow')) continue
      }
      event.preventDefault()
      void this.run(action.id)
      return
    }
  }
}

/** Everything that can be done now. */
export const actions = new Actions()
