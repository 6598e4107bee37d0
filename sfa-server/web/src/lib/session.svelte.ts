import { api, Failure, take, whenProofIsNeeded, whenSignedOut, type Me, type Server } from '$lib/api/client'

/**
 * Set while somebody is signed in here. The cookie itself is none of this page's business, and asking without it would
 * only be refused.
 */
const HINT = 'sfa.signed-in'
const ADMINS = ['admin', 'super_admin']
const STAFF = [...ADMINS, 'moderator']

class SessionState {
  #proving: Promise<boolean> | null = null
  me = $state.raw<Me | null>(null)
  server = $state.raw<Server | null>(null)
  isKnown = $state(false)
  failure = $state.raw<Failure | null>(null)
  /** Set while somebody is asked to prove again who they are; called with whether they did. */
  proof = $state.raw<((isProved: boolean) => void) | null>(null)

  /** Who it is really, while they act as somebody else. */
  get behind(): Me['impersonated_by'] {
    return this.me?.impersonated_by
  }

  get isStaff(): boolean {
    return !this.behind && STAFF.includes(this.me?.role ?? '')
  }

  get isAdmin(): boolean {
    return !this.behind && ADMINS.includes(this.me?.role ?? '')
  }

  /** Finds out who is here. */
  async open(): Promise<void> {
    try {
      const server = take(api.GET('/api/v1/server'))
      const me = localStorage.getItem(HINT) ? await this.#whoAmI() : null
      this.server = (await server).data
      this.me = me
      this.isKnown = true
      this.failure = null
    } catch (cause) {
      this.failure = Failure.from(cause)
    }
  }

  async #whoAmI(): Promise<Me | null> {
    try {
      return (await take(api.GET('/api/v1/me'))).data
    } catch (cause) {
      if (Failure.from(cause).code === 'unauthorized') return null
      throw cause
    }
  }

  async refresh(): Promise<void> {
    this.me = await this.#whoAmI()
  }

  async logIn(email: string, password: string): Promise<void> {
    await take(api.POST('/api/v1/login', { body: { email, password } }))
    await this.enter()
  }

  /** Makes an account; where the server sends mail, by a link that is on its way then. */
  async register(name: string, email: string, password: string): Promise<void> {
    const isByMail = this.server?.sends_mail ?? false
    await take(api.POST('/api/v1/register', { body: { name, email, password: isByMail ? null : password } }))
    if (!isByMail) await this.enter()
  }

  async askForLink(email: string): Promise<void> {
    await take(api.POST('/api/v1/login/mail', { body: { email } }))
  }

  async askForPassword(email: string): Promise<void> {
    await take(api.POST('/api/v1/password/mail', { body: { email } }))
  }

  async followLink(token: string): Promise<void> {
    await take(api.POST('/api/v1/login/link', { body: { token } }))
    await this.enter()
  }

  async resetPassword(token: string, wanted: string): Promise<void> {
    await take(api.POST('/api/v1/password/link', { body: { token, new: wanted } }))
    await this.enter()
  }

  async confirmEmail(token: string): Promise<void> {
    await take(api.POST('/api/v1/email/link', { body: { token } }))
    if (this.me) await this.refresh()
  }

  /** Asks whether it is still them. One question is enough for all who want to know. */
  prove(): Promise<boolean> {
    this.#proving ??= new Promise<boolean>((resolve) => (this.proof = resolve)).finally(() => {
      this.proof = null
      this.#proving = null
    })
    return this.#proving
  }

  /** Sees the studio as somebody else does; for this the page begins anew. */
  async actAs(user: string): Promise<void> {
    await take(api.POST('/api/v1/users/{id}/impersonate', { params: { path: { id: user } } }))
    location.assign('/')
  }

  async beMyself(): Promise<void> {
    await take(api.DELETE('/api/v1/impersonation'))
    location.assign('/admin/users')
  }

  async setUp(token: string, name: string, email: string, password: string): Promise<void> {
    await take(api.POST('/api/v1/setup', { body: { token, name, email, password } }))
    await this.enter()
    if (this.server) this.server = { ...this.server, needs_set_up: false }
  }

  /** Finds out who was signed in just now. */
  async enter(): Promise<void> {
    localStorage.setItem(HINT, '1')
    await this.refresh()
  }

  async logOut(): Promise<void> {
    await take(api.POST('/api/v1/logout'))
    this.forget()
  }

  /** The server has closed a connection: nobody is signed in any more, or as somebody else. */
  async lookAgain(): Promise<void> {
    // Without an answer, such as on the way to another page, nothing is known and nothing forgotten.
    await this.refresh().catch(() => {})
    if (!this.me) this.forget()
  }

  /** What there is to do when the server knows this browser no more. */
  forget(): void {
    localStorage.removeItem(HINT)
    this.me = null
  }
}

/** Who is here. */
export const session = new SessionState()
whenSignedOut(() => session.forget())
whenProofIsNeeded(() => session.prove())
