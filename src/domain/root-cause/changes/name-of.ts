import type { Cause, CauseKind } from "../cause.ts";
import type { CauseName } from "./cause-names.ts";

const byCause: Readonly<Record<CauseKind, CauseName>> = {
  ...{ saturated: "saturation", "saturation-predicted": "saturation", "cpu-throttled": "throttling" },
  ...{ "out-of-memory": "memory", "bad-change": "bad-release", "quota-exhausted": "quota" },
  ...{ downstream: "dependency-down", "autoscaler-at-max": "autoscaler-bounds" },
  ...{ "cluster-condition": "dependency-down", degraded: "bad-release", link: "link" },
};

/** What people call the cause. */
export function nameOf({ kind, name }: Pick<Cause, "kind" | "name">): CauseName {
  return name ?? byCause[kind];
}
