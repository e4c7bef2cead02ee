/** One point of an installation that was looked at. A bad one and a warning name their fix; a skipped one why nobody looked. */
export interface DoctorFinding {
  readonly point: string;
  readonly state: "good" | "warning" | "bad" | "skipped";
  readonly found: string;
  readonly fix?: string;
}

export function good(point: string, found: string): DoctorFinding {
  return { point, state: "good", found };
}

export function bad(point: string, found: string, fix: string): DoctorFinding {
  return { point, state: "bad", found, fix };
}

/** It works so, and should not be so. */
export function warning(point: string, found: string, fix: string): DoctorFinding {
  return { point, state: "warning", found, fix };
}

export function skipped(point: string, found: string): DoctorFinding {
  return { point, state: "skipped", found };
}

/** The finding of a call that threw, in the words of the adapter. */
export function failed(point: string, fix: string): (error: unknown) => DoctorFinding {
  return (error) => bad(point, error instanceof Error ? error.message : "it failed without a reason", fix);
}
