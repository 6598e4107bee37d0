const STEP_SECS = 5

/** Where a key leads that a slider over a song was given; undefined where it leads nowhere. */
export function soughtByKey(key: string, position_secs: number, duration_secs: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowLeft: position_secs - STEP_SECS,
    ArrowRight: position_secs + STEP_SECS,
    Home: 0,
    End: duration_secs,
  }
  return clamped(steps[key], duration_secs)
}

/** As {@link soughtByKey}, with long steps as well. */
export function soughtFarByKey(key: string, position_secs: number, duration_secs: number): number | undefined {
  const steps: Record<string, number> = { PageDown: position_secs - STEP_SECS * 6, PageUp: position_secs + STEP_SECS * 6 }
  return clamped(steps[key], duration_secs) ?? soughtByKey(key, position_secs, duration_secs)
}

function clamped(secs: number | undefined, duration_secs: number): number | undefined {
  return secs === undefined ? undefined : Math.min(Math.max(0, secs), duration_secs)
}
