import type { Job } from '$lib/api/client'

/**
 * A job that ends asks for the next one in the same transaction: by the clock of the database these are one moment, give
 * or take what the transaction itself took.
 */
const SAME_MS = 250

/** A job, and how far it is from the first. */
export interface Link {
  job: Job
  /** Grows where one job led to several. */
  depth: number
  isCaused: boolean
}

/** Which job of the same song asked for this one; none where a person or a program did. */
export function causeOf(job: Job, family: readonly Job[]): Job | undefined {
  const distance = ({ finished_at_ms }: Job) => Math.abs((finished_at_ms ?? 0) - job.created_at_ms)
  return family
    .filter((other) => other.id !== job.id && other.state === 'completed' && other.created_at_ms < job.created_at_ms && distance(other) <= SAME_MS)
    .sort((a, b) => distance(a) - distance(b))[0]
}

/** All that began with what a job began with: what led to it, it itself, and what it led to, causes first. */
export function lineageOf(job: Job, family: readonly Job[]): Link[] {
  const all = [job, ...family.filter(({ id }) => id !== job.id)]
  let first = job
  for (let cause = causeOf(first, all); cause; cause = causeOf(first, all)) first = cause
  const links: Link[] = []
  const visit = (at: Job, depth: number, isCaused: boolean) => {
    links.push({ job: at, depth, isCaused })
    const caused = all.filter((other) => causeOf(other, all)?.id === at.id).sort((a, b) => a.created_at_ms - b.created_at_ms)
    for (const next of caused) visit(next, depth + (caused.length > 1 ? 1 : 0), true)
  }
  visit(first, 0, false)
  return links
}
