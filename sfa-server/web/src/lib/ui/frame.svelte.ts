import { inspector } from '$lib/inspector/switch.svelte'
import type { Action } from '$lib/keys/actions.svelte'
import { router } from '$lib/router.svelte'
import { session } from '$lib/session.svelte'

/** Songs that are to be exported, and what they are called together. */
export interface Exported {
  tracks: readonly string[]
  name: string
}

/** What is open around the room. */
class FrameState {
  exported = $state.raw<Exported | null>(null)
  /** Songs that are to be put into a playlist. */
  added = $state.raw<readonly string[] | null>(null)
  /** Whether it is asked where on the web a song is. */
  isAddressAsked = $state(false)
  isTrayOpen = $state(false)
  isPaletteOpen = $state(false)
  areKeysShown = $state(false)
}

export const frame = new FrameState()

/** What can be done in every room. */
export function frameActions(): Action[] {
  return [
    { id: 'go.library', name: 'Go to the library', group: 'Studio', run: () => router.go('/') },
    { id: 'go.settings', name: 'Go to the settings', group: 'Studio', shortcuts: ['mod+,'], run: () => router.go('/settings') },
    { id: 'go.admin', name: 'Go to the administration', group: 'Studio', isPossible: () => session.isStaff, run: () => router.go('/admin') },
    { id: 'go.inspector', name: 'Go to the inspector', group: 'Studio', isPossible: () => inspector.isOn, run: () => router.go('/inspector') },
    { id: 'studio.tray', name: 'Show or hide the work', group: 'Studio', shortcuts: ['j'], run: () => void (frame.isTrayOpen = !frame.isTrayOpen) },
    { id: 'studio.palette', name: 'Find a song or a command', group: 'Studio', shortcuts: ['mod+k'], run: () => void (frame.isPaletteOpen = true) },
    { id: 'studio.keys', name: 'Show all keys', group: 'Studio', shortcuts: ['?'], run: () => void (frame.areKeysShown = true) },
    { id: 'studio.import-link', name: 'Import from a link', group: 'Studio', shortcuts: ['u'], run: () => void (frame.isAddressAsked = true) },
    { id: 'studio.log-out', name: 'Log out', group: 'Studio', run: () => session.logOut() },
  ]
}
