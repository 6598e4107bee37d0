/** From the least to the most; the server has the last word on who may do what to whom. */
export const ROLES = ['user', 'pro', 'enterprise', 'moderator', 'platform_admin', 'admin', 'super_admin'] as const

/** Whether somebody of one role may be expected to manage somebody of another. */
export function isAbove(role: string | undefined, other: string): boolean {
  const rank = (name: string | undefined) => (ROLES as readonly (string | undefined)[]).indexOf(name)
  return rank(role) > rank(other)
}
