import { postMortemOf, postMortemPath, renderPostMortem } from "../domain/post-mortem.ts";
import { openIncident } from "../domain/incident.ts";
import type { Alert } from "../domain/alert.ts";

const day = 24 * 3_600_000;
const web = { kind: "Deployment", namespace: "shop-production", name: "web" };

/** Post-mortems of earlier incidents of `web` that scaling cured, one a day: the trust that the lab's bot has earned. */
export function pastFiles(count: number, now: Date): Record<string, string> {
  const files: Record<string, string> = {};
  for (let ago = 1; ago <= count; ago += 1) {
    const at = new Date(now.getTime() - ago * day);
    const labels = { alertname: "HighRequestLatency", ...{ namespace: web.namespace, deployment: web.name } };
    const alert: Alert = {
      ...{ fingerprint: `past-${ago}`, name: "HighRequestLatency", status: "resolved", labels, annotations: {} },
      ...{ startsAt: at.toISOString(), generatorUrl: "" },
    };
    const incident = openIncident("lab", web, alert);
    const story = {
      ...({ ending: "recovered", because: "the alert is resolved and the metric is back" } as const),
      remediation: {
        ...({
          kind: "scale",
          workload: web,
          change: { kind: "replicas", to: 3 },
          from: "2",
          to: "3",
          sizing: [],
        } as const),
      },
      verification: { kind: "recovered", because: "the alert is resolved", afterMs: 40_000 } as const,
    };
    files[postMortemPath(incident)] = renderPostMortem(
      postMortemOf({ incident, story, evidence: [], now: at.toISOString() }),
    );
  }
  return files;
}
