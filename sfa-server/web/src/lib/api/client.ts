import createClient from 'openapi-fetch'
import type { components, paths } from './schema'

/** What the API calls things, shortened to the names that the studio uses. */
type Schemas = components['schemas']
export type Song = Schemas['TrackView']
export type Job = Schemas['JobView']
export type Stem = Schemas['StemView']
export type Cue = Schemas['CueView']
export type PlaceCue = Schemas['PlaceCue']
export type ExportFile = Schemas['ExportView']
export type StoredFile = Schemas['FileView']
export type Me = Schemas['MeView']
export type User = Schemas['UserView']
export type Server = Schemas['ServerView']
export type Session = Schemas['SessionView']
export type Token = Schemas['TokenView']
export type AuditLine = Schemas['AuditView']
export type Queue = Schemas['QueueView']
export type Playlist = Schemas['PlaylistView']
export type Package = Schemas['PackageView']
export type NewPackage = Schemas['OrderPackage']
export type AnyJob = Schemas['AnyJobView']
export type OverviewDay = Schemas['DayView']
export type Model = Schemas['ModelView']
export type PackagePlan = Schemas['PlanView']
export type Missing = Schemas['MissingView']

/** A request that failed, in the server's words. */
export class Failure extends Error {
  constructor(
    message: string,
    /** For programs; "unreachable" where no server answered. */
    readonly code: string,
    readonly status: number,
    /** Names the request in the server's log. */
    readonly requestId: string | undefined,
  ) {
    super(message)
  }

  static from(cause: unknown): Failure {
    if (cause instanceof Failure) return cause
    const message = cause instanceof Error ? cause.message : String(cause)
    return new Failure(message, 'studio', 0, undefined)
  }

  static unreachable(): Failure {
    return new Failure('The server does not answer. What is on this page stays usable.', 'unreachable', 0, undefined)
  }

  /** Reads the body of a failed answer. */
  static ofBody(body: unknown, status: number): Failure {
    const details = (body as { error?: { code?: string; message?: string; request_id?: string } } | undefined)?.error
    const message = details?.message ?? `The server answered ${status}.`
    return new Failure(message, details?.code ?? 'unknown', status, details?.request_id)
  }
}

const MOST_TRIES = 6

/**
 * Waits when the server says that this was one request too many, and goes on when somebody has proved again who they are;
 * such requests were not carried out.
 */
async function patientFetch(request: Request): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(request.clone())
    if (response.status === 403 && attempt === 1) {
      const failure = Failure.ofBody(await response.clone().json().catch(() => undefined), 403)
      if (failure.code !== 'reauthentication_required' || !(await onProofNeeded())) return response
      continue
    }
    const wait_secs = Number(response.headers.get('retry-after'))
    if (response.status !== 429 || attempt === MOST_TRIES || !(wait_secs > 0 && wait_secs <= 60)) return response
    await new Promise((resolve) => setTimeout(resolve, wait_secs * 1000))
  }
}

/** The typed client; {@link take} unwraps what it returns. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '', fetch: patientFetch })

let onProofNeeded: () => Promise<boolean> = () => Promise.resolve(false)

/** Says how somebody proves again who they are; what that returns says whether they did. */
export function whenProofIsNeeded(prove: () => Promise<boolean>): void {
  onProofNeeded = prove
}

let onSignedOut: () => void = () => {}

/** Says what happens when the server no longer knows who is asking. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act
}

/**
 * The body of an answer.
 *
 * @throws {Failure} whatever went wrong
 */
export async function take<Answer extends { data?: unknown; error?: unknown; response: Response }>(
  call: Promise<Answer>,
): Promise<NonNullable<Answer['data']>> {
  let answer: Answer
  try {
    answer = await call
  } catch {
    throw Failure.unreachable()
  }
  if (!answer.response.ok) {
    const failure = Failure.ofBody(answer.error, answer.response.status)
    if (failure.code === 'unauthorized') onSignedOut()
    throw failure
  }
  return answer.data as NonNullable<Answer['data']>
}
