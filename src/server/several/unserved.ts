import { oneLine } from "../../domain/text/one-line.ts";
import type { Telemetry } from "../../ports/runtime.ts";

/** Deliveries of GitHub about what is not served here: normal where the App has more, and all there is of a rename. */
export interface Unserved {
  /** Undefined = it names no repository: GitHub tells of the App itself. */
  record(repository: string | undefined): void;
  /** How many there were, as Prometheus reads it. */
  metrics(): string;
}

const mostNames = 200;
const longestName = 200;

/** Counts them all, and tells each name once. */
export function openUnserved(telemetry: Telemetry): Unserved {
  const told = new Set<string>();
  let count = 0;
  return {
    record: (repository) => {
      if (repository === undefined) return;
      count += 1;
      const name = repository.toLowerCase();
      if (told.has(name) || told.size >= mostNames) return;
      told.add(name);
      const text = `deliveries about ${oneLine(repository, longestName)} are dropped: RECTIFY_REPOSITORY does not list it. Where one of the list was renamed to it, write the new name there`;
      telemetry.log("", "serve", text);
    },
    metrics: () =>
      `# HELP rectify_unserved_deliveries_total Deliveries of GitHub about a repository that is not served here.\n# TYPE rectify_unserved_deliveries_total counter\nrectify_unserved_deliveries_total ${count}\n`,
  };
}
