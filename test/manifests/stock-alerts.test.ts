import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parsePromql } from "../../src/adapters/monitoring/promql.ts";
import { conditionOf, renderThreshold } from "../../src/domain/incident/condition.ts";
import { parseYaml } from "../../src/manifests/yaml/yaml.ts";
import { anAlert } from "../builders.ts";
import { concernsIn, type KnownCluster } from "../concerns.ts";
import { labelsOf, renderStockAlerts, stockAlerts } from "./stock-alerts.ts";

const naming = new Set([
  ...["deployment", "statefulset", "daemonset", "horizontalpodautoscaler", "job_name", "poddisruptionbudget"],
  ...["persistentvolumeclaim", "pod", "service", "container"],
]);

const target = { kind: "Deployment", name: "web" };
const pod = { namespace: "some-namespace", name: "some-pod", owner: target, labels: { app: "web" } };
/** Everything that a stock alert names is there, and belongs to web. */
const cluster: KnownCluster = {
  objects: {
    "horizontalpodautoscaler some-namespace/some-horizontalpodautoscaler": { target },
    "job some-namespace/some-job-name": {},
    "poddisruptionbudget some-namespace/some-poddisruptionbudget": { selector: "app=web" },
    "service some-namespace/some-service": { selector: "app=web" },
  },
  pods: [{ ...pod, containers: ["some-container"], claims: ["some-persistentvolumeclaim"] }],
};

test.each(stockAlerts.map((stock) => [stock.alert, stock] as const))("%s is answered", async (name, stock) => {
  const concern = await concernsIn(cluster).of(anAlert({ name, labels: labelsOf(stock) }));
  const namesOne = stock.labels.includes("namespace") && stock.labels.some((label) => naming.has(label));
  if (namesOne) expect(concern).toMatchObject({ kind: "workload" });
  else
    expect(concern).toMatchObject({ kind: "nobody", because: expect.any(String), line: expect.stringContaining(name) });
});

test("the table of the documents is what the resolver does", () => {
  expect(readFileSync("manifests/README.md", "utf8")).toContain(renderStockAlerts());
});

const shared = "../shared/alerts";
interface Rules {
  readonly spec: { readonly groups: readonly { readonly rules: readonly { alert?: string; expr: string }[] }[] };
}

test.skipIf(!existsSync(shared))("the facts are those of the rules themselves", () => {
  const files = readdirSync(shared).filter((file) => file.endsWith(".yaml"));
  const read = files.toSorted().flatMap((file) => {
    const parsed = parseYaml(readFileSync(join(shared, file), "utf8"));
    return parsed.ok ? (parsed.value as Rules).spec.groups.flatMap(({ rules }) => rules) : [];
  });
  const conditions = read.flatMap(({ alert, expr }) => {
    const expression = parsePromql(expr);
    expect(expression, alert).toBeDefined();
    const { threshold, exact } = conditionOf({ query: expr, expression });
    const line = threshold ? `${renderThreshold(threshold)}${exact ? "" : " and more"}` : "the query itself";
    return alert === undefined ? [] : [`${alert}: ${line}`];
  });
  expect(conditions).toEqual(stockAlerts.map(({ alert, condition }) => `${alert}: ${condition}`));
});
