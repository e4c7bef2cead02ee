import { readFileSync } from "node:fs";
import { join } from "node:path";
import { referencesOf } from "../../src/domain/incident/references.ts";

/** One alerting rule of a stock installation, as far as it concerns us: which labels its alerts have, and their line. */
interface StockAlert {
  readonly alert: string;
  readonly severity: string;
  readonly labels: readonly string[];
  readonly condition: string;
}

export const stockAlerts = JSON.parse(
  readFileSync(join(import.meta.dirname, "stock-alerts.json"), "utf8"),
) as readonly StockAlert[];

/** Labels with values that Kubernetes could hold. */
export function labelsOf({ alert, labels }: StockAlert): Record<string, string> {
  const value = (label: string) => (label === "instance" ? "10.0.0.7:8080" : `some-${label.replaceAll("_", "-")}`);
  return { alertname: alert, ...Object.fromEntries(labels.map((label) => [label, value(label)])) };
}

/** The section of manifests/README.md, from the facts and the resolver itself. */
export function renderStockAlerts(): string {
  const rows = stockAlerts.map((stock) => {
    const read = referencesOf(labelsOf(stock));
    const by = read.kind === "some" ? `\`${read.references[0]?.label ?? ""}\`` : `no: ${read.because}`;
    return `| ${stock.alert} | ${stock.severity} | ${by} | ${stock.condition.replaceAll("|", "\\|")} |`;
  });
  return [
    "## Stock alerts",
    "",
    "The alerts of a default kube-prometheus installation: by which label each leads to its workload, or why it leads to none, and what measures it. `the query itself` = whether the rule's query still has a series of the workload; `and more` = the line is a part of the condition, and the query tells whether it holds.",
    "",
    "| alert | severity | workload by | measured by |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
