/** One thing that was tried against a real server. */
export interface Finding {
  readonly what: string;
  readonly wrong: string | undefined;
  readonly seen: string;
}

/** A finding whose work may throw: what it throws is what is wrong. */
export async function findingOf(what: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { what, wrong: undefined, seen: await work() };
  } catch (error) {
    return { what, wrong: error instanceof Error ? error.message : String(error), seen: "" };
  }
}
