/** As much of a key press as decides what it means. */
export type Press = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

/**
 * Whether a press is that of a shortcut such as `mod+k`, `space`, `shift+arrowleft` or `?`. `mod` is Ctrl, or Cmd on a
 * Mac. Shift is only looked at with keys that have a name: it is part of the sign `?` itself. With Shift, digits are keys and
 * not the signs above them, which are others in every country.
 */
export function isPressed(shortcut: string, press: Press): boolean {
  const parts = shortcut.split('+')
  const wanted = parts.pop() ?? ''
  const key = press.key === ' ' ? 'space' : press.key.toLowerCase()
  const digit = press.shiftKey ? /^Digit(\d)$/.exec(press.code)?.[1] : undefined
  const isNamed = wanted.length > 1 || /[a-z0-9]/.test(wanted)
  return (
    (key === wanted || digit === wanted) &&
    (press.ctrlKey || press.metaKey) === parts.includes('mod') &&
    press.altKey === parts.includes('alt') &&
    (!isNamed || press.shiftKey === parts.includes('shift'))
  )
}

/** Whether it is a single key, which people who dictate or press by accident may want to switch off. */
export function isSingle(shortcut: string): boolean {
  return !/^(mod|alt)\+/.test(shortcut)
}

/** Whether a text field does something of its own with it: all of it, copy, cut, paste, undo. */
export function isOfText(shortcut: string): boolean {
  return /^mod\+(shift\+)?[acvxyz]$/.test(shortcut)
}

const SIGNS: Record<string, string> = {
  space: 'Space',
  arrowleft: '←',
  arrowright: '→',
  arrowup: '↑',
  arrowdown: '↓',
  escape: 'Esc',
  delete: 'Del',
  shift: 'Shift',
  alt: 'Alt',
}

/** The keys of a shortcut, as they are written on keyboards. */
export function keysOf(shortcut: string, isMac: boolean): string[] {
  return shortcut.split('+').map((part) => {
    if (part === 'mod') return isMac ? '⌘' : 'Ctrl'
    return SIGNS[part] ?? part.toUpperCase()
  })
}
