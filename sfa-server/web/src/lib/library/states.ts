/** The states of jobs in the words of the studio. */
export const STATES: Record<string, string> = {
  executing: 'Runs',
  available: 'Waits',
  scheduled: 'Put off',
  retryable: 'Waits to be tried again',
  discarded: 'Failed',
  completed: 'Done',
  cancelled: 'Cancelled',
}

/** Those that are not over. */
export const OPEN = ['executing', 'available', 'scheduled', 'retryable']

/** What a state is written in. */
export function toneOf(state: string): string {
  if (state === 'discarded') return 'text-error'
  return state === 'executing' ? 'text-success' : 'text-soft'
}
