import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { prometheus } from "../../src/adapters/monitoring/prometheus.ts";
import { parsePromql } from "../../src/adapters/monitoring/promql.ts";
import type { Expression } from "../../src/domain/incident/expression.ts";
import { parseYaml } from "../../src/manifests/yaml/yaml.ts";
import type { Finding } from "./finding.ts";
import type { Telemetry } from "./telemetry.ts";

/** What may have no data after scenarios that all went well, and why. */
const mayBeEmpty: Readonly<Record<string, string>> = {
  "alert RectifyRepositoryDown": "its series are there only where several repositories are served",
  "alert RectifyDown": "absent() answers only while nothing is there; the panel Up asks for the same series",
};

/** Every panel of the dashboard and every alert about Rectify, asked of the real Prometheus that scraped it since then. */
export async function checkOwnMetrics({ prometheusUrl }: Telemetry, since: Date): Promise<readonly Finding[]> {
  const metrics = prometheus({ url: prometheusUrl });
  const findings: Finding[] = [];
  for (const { what, query } of [...panels(), ...alerts()]) {
    const answer = await metrics.range(query, since, new Date()).catch((error: Error) => error);
    if (answer instanceof Error) findings.push({ what, wrong: answer.message, seen: "" });
    else {
      // NaN is 0 divided by 0: a panel shows nothing for it.
      const points = answer.series.flatMap(({ points: own }) => own).filter(([, value]) => !Number.isNaN(value)).length;
      const excuse = mayBeEmpty[what];
      const wrong = points > 0 || excuse !== undefined ? undefined : `no data for ${query}`;
      const seen = points > 0 ? `${answer.series.length} series, ${points} points` : `no data, as may be: ${excuse}`;
      findings.push({ what, wrong, seen: wrong === undefined ? seen : "" });
    }
  }
  return findings;
}

interface Asked {
  readonly what: string;
  readonly query: string;
}

function panels(): readonly Asked[] {
  const { panels: shown } = JSON.parse(manifest("grafana/rectify.json")) as {
    panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  };
  return shown.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ what: `panel ${title}`, query: expr })),
  );
}

/** An alert is silent while all is well: what it compares is asked for, too. */
function alerts(): readonly Asked[] {
  const read = parseYaml(manifest("rectify/base/alerts.yaml"));
  if (!read.ok) throw new Error(read.problem);
  const { spec } = read.value as { spec: { groups: { rules: { alert?: string; expr: string }[] }[] } };
  return spec.groups
    .flatMap(({ rules }) => rules)
    .flatMap(({ alert, expr }) => {
      if (alert === undefined) return [];
      const expression = parsePromql(expr);
      if (expression === undefined) throw new Error(`${alert} cannot be read: ${expr}`);
      return operands(expression).map((query) => ({ what: `alert ${alert}`, query }));
    });
}

const combines = new Set(["and", "or", "unless", ">", ">=", "<", "<=", "==", "!="]);

function operands(expression: Expression): readonly string[] {
  if (expression.kind !== "binary" || !combines.has(expression.operator)) return [expression.text];
  const { left, right } = expression;
  return [left, right].flatMap((side) => (side.kind === "number" ? [] : operands(side)));
}

function manifest(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../manifests/${path}`, import.meta.url)), "utf8");
}
