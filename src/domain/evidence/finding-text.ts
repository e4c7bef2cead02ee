import { masked } from "../text/masking.ts";
import type { Evidence, Series } from "./evidence.ts";
import { renderValue } from "./unit.ts";

/** One line of what an item shows, masked. Log lines and event texts are counted, not quoted. */
export function findingOf(item: Evidence, names: "shown" | "hidden" = "shown"): string {
  return masked(seenIn(item, names) + notesOf(item, names)).text.slice(0, 2000);
}

/** What the source said of its own answer: limits, warnings, parts that are missing. */
function notesOf({ finding }: Evidence, names: "shown" | "hidden"): string {
  const notes = finding.kind === "missing" ? [] : finding.notes;
  return notes.length === 0 ? "" : names === "hidden" ? " (a part only)" : ` (${notes.join("; ")})`;
}

// Labels under which Prometheus and Kubernetes name pods and nodes.
const nameOfMachine =
  /^(?:kubernetes_|exported_)?(?:pod|node|instance|host|hostname|nodename|container_id)(?:_name|_ip)?$/i;

function seenIn(item: Evidence, names: "shown" | "hidden"): string {
  const { finding } = item;
  switch (finding.kind) {
    case "missing":
      return `missing: ${finding.because}`;
    case "facts":
      if (Object.keys(finding.facts).length === 0) return "none";
      return Object.entries(finding.facts)
        .map(([key, value]) => `${key}=${names === "hidden" && nameOfMachine.test(key) ? "(left out)" : value}`)
        .join(", ");
    case "text":
      return finding.lines.length === 1 ? "1 line" : `${finding.lines.length} lines`;
    case "series": {
      const unit = unitIn(item);
      const [only, ...others] = finding.series.flatMap((series) => newestOf(series, unit) ?? []);
      if (only === undefined) return "no points";
      if (others.length === 0) return `last value ${only.value}`;
      const named = [only, ...others].slice(0, mostNamed).map(({ name, value }) => `${name} ${value}`);
      const more = others.length + 1 > mostNamed ? `, ${others.length + 1 - mostNamed} more` : "";
      return `last values: ${named.join(", ")}${more}`;
    }
  }
}

/** Of more series the text says how many; the page of the incident has them all. */
export const mostNamed = 6;

/** The unit of a series; what is a share by its key is stored without one. */
export function unitIn({ key, finding }: Pick<Evidence, "key" | "finding">): string {
  if (finding.kind !== "series") return "";
  return key === "error-share" || key === "cpu-throttled" ? "share" : finding.unit;
}

function newestOf(
  { labels, points }: Series,
  unit: string,
): { readonly name: string; readonly value: string } | undefined {
  const newest = points.at(-1)?.[1];
  if (newest === undefined) return undefined;
  const to = labels.dst_deployment ?? labels.dst_statefulset;
  const name = labels.deployment ?? labels.statefulset ?? labels.rollout ?? labels.pod ?? "all";
  return { name: to === undefined ? name : `${name} to ${to}`, value: renderValue(newest, unit) };
}
