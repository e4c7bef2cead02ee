import { emptyLedger, ledgerPath, recordPostMortems, renderLedger } from "../../../domain/records/autonomy.ts";
import { type PostMortem, postMortemOf, postMortemPath, renderSealed } from "../../../domain/records/post-mortem.ts";
import { openIncident } from "../../../domain/incident/incident.ts";
import type { Alert } from "../../../domain/incident/alert.ts";

const day = 24 * 3_600_000;
const web = { kind: "Deployment", namespace: "shop-production", name: "web" };

/** Sealed post-mortems of earlier incidents of `web` that scaling fixed, one a day, and the ledger that counts them. */
export function pastFiles(count: number, now: Date, sealKey: string): Record<string, string> {
  const files: Record<string, string> = {};
  const records: PostMortem[] = [];
  for (let ago = 1; ago <= count; ago += 1) {
    const at = new Date(now.getTime() - ago * day);
    const labels = { alertname: "HighRequestLatency", ...{ namespace: web.namespace, deployment: web.name } };
    const alert: Alert = {
      ...{ fingerprint: `past-${ago}`, name: "HighRequestLatency", status: "resolved", labels, annotations: {} },
      ...{ startsAt: at.toISOString(), generatorUrl: "" },
    };
    const incident = openIncident("lab", web, alert);
    const outcome = {
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
    const record = postMortemOf({ incident, outcome, evidence: [], now: at.toISOString() });
    records.push(record);
    files[postMortemPath(incident)] = renderSealed(record, sealKey);
  }
  if (count > 0) files[ledgerPath] = renderLedger(recordPostMortems(emptyLedger, records));
  return files;
}
