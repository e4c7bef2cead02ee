import { describe, expect, test } from "vitest";
import type { Entry } from "../../../../src/domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../../../../src/domain/kubernetes/tree.ts";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { suspectsIn } from "../../../../src/domain/root-cause/changes/suspects.ts";
import { pastRenderings } from "../../../../src/flow/collect/commits/recent-commits.ts";
import { suspectCommits } from "../../../../src/flow/collect/commits/suspects.ts";
import type { Ports } from "../../../../src/ports/ports.ts";
import { anIncident } from "../../../builders.ts";

type Files = Readonly<Record<string, string>>;

const { workload } = anIncident();
const live = { ...workload, replicas: 1 } as Parameters<typeof suspectCommits>[1];
const since = new Date("2026-11-24T00:00:00Z");
const sha = (index: number) => index.toString(16).padStart(40, "0");

const healthy: Files = {
  "shop/kustomization.yaml":
    "namespace: shop-production\nresources: [web.yaml, service.yaml, map.yaml, catalog.yaml, cron.yaml, quota.yaml]\n",
  "shop/web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1
          envFrom: [{configMapRef: {name: settings}}]
          env: [{name: CATALOG, value: "http://catalog:80"}]
          readinessProbe: {httpGet: {path: /ready, port: 80}}
`,
  "shop/service.yaml":
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n",
  "shop/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {COLOR: blue}\n",
  "shop/catalog.yaml": `apiVersion: v1
kind: Service
metadata: {name: catalog}
spec: {selector: {app: catalog}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: catalog}
spec: {template: {metadata: {labels: {app: catalog}}, spec: {containers: [{name: catalog, image: "catalog:1"}]}}}
`,
  "shop/cron.yaml": "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: report}\nspec: {schedule: '0 4 * * *'}\n",
  "shop/quota.yaml": "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: all}\nspec: {hard: {pods: '20'}}\n",
};
const edited = (file: string, from: string, to: string): Files => {
  const text = healthy[file] ?? "";
  if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
  return { ...healthy, [file]: text.replace(from, to) };
};

/** Asks about a branch with these states, oldest first; the first has no parent that is known. */
async function asked(states: readonly Files[], isOnCluster = true) {
  const trees = states.map((files) => treeOf(files));
  const commits = states.map((_, index) => {
    return {
      sha: sha(index),
      parent: index === 0 ? undefined : sha(index - 1),
      at: `2026-11-24T01:${String(index).padStart(2, "0")}:00Z`,
    };
  });
  const rendered: string[] = [];
  const ports = {
    github: {
      at: async (wanted: string): Promise<Tree> => {
        rendered.push(wanted);
        return trees[commits.findIndex((commit) => commit.sha === wanted)] ?? treeOf({});
      },
      commitsSince: async () => [...commits].reverse(),
    },
    cluster: { entryOf: async () => ({ tool: "flux", path: "shop" }) },
    renderer: { render: async (_: Tree, entry: Entry) => ({ kind: "unsupported", because: `${entry.path}` }) },
  } as unknown as Ports;
  const finding = await suspectCommits(workload, isOnCluster ? live : undefined, since, {
    ...ports,
    renderedAt: pastRenderings(ports),
  });
  return { finding, rendered };
}

async function factOf(file: string, from: string, to: string): Promise<string | undefined> {
  const { finding } = await asked([healthy, edited(file, from, to)]);
  return finding.kind === "facts" ? String(finding.facts[sha(1)]) : undefined;
}

describe("a commit of the window", () => {
  test.each([
    ["shop/web.yaml", "web:1", "web:2", "self:Deployment/web:image"],
    ["shop/web.yaml", "path: /ready", "path: /health", "self:Deployment/web:probe"],
    ["shop/map.yaml", "blue", "green", "uses:ConfigMap/settings:configuration"],
    ["shop/service.yaml", "app: web", "app: front", "uses:Service/web:selector"],
    ["shop/catalog.yaml", "catalog:1", "catalog:2", "calls:Deployment/catalog:image"],
    ["shop/quota.yaml", "'20'", "'2'", "namespace:ResourceQuota/all:quota"],
    ["shop/cron.yaml", "0 4", "0 5", "other:CronJob/report:other"],
  ])(
    "that changes %s from '%s' to '%s' is told by what it changed and how near that is",
    async (file, from, to, part) => {
      expect(await factOf(file, from, to)).toBe(`2026-11-24T01:01:00Z ${part}`);
    },
  );

  test("names the nearest of its objects first", async () => {
    const both = {
      ...edited("shop/cron.yaml", "0 4", "0 5"),
      "shop/web.yaml": (healthy["shop/web.yaml"] ?? "").replace("web:1", "web:2"),
    };
    const { finding } = await asked([healthy, both]);
    expect(finding).toMatchObject({
      facts: { [sha(1)]: "2026-11-24T01:01:00Z self:Deployment/web:image other:CronJob/report:other" },
    });
  });

  test("that changes a comment only, or a file of nobody, is no suspect", async () => {
    const { finding } = await asked([
      healthy,
      { ...healthy, "shop/web.yaml": `# hello\n${healthy["shop/web.yaml"]}` },
      { ...healthy, "README.md": "x" },
    ]);
    expect(finding).toEqual({ kind: "facts", facts: {}, notes: [] });
  });

  test("that cannot be rendered is told as one that nobody could judge", async () => {
    const broken = { ...healthy, "shop/kustomization.yaml": "resources: [gone.yaml]\n" };
    const { finding } = await asked([healthy, broken]);
    expect(finding).toMatchObject({ facts: {}, notes: [expect.stringContaining(`commit ${sha(1).slice(0, 7)}`)] });
  });

  test("is read back as it was written", async () => {
    const { finding } = await asked([healthy, edited("shop/map.yaml", "blue", "green")]);
    const evidence = { id: "E1", key: "suspects", title: "", query: "", at: "", finding } as never;
    expect(suspectsIn([evidence])?.value).toEqual([
      {
        sha: sha(1),
        at: "2026-11-24T01:01:00Z",
        parts: [{ relation: "uses", object: "ConfigMap/settings", aspects: ["configuration"] }],
      },
    ]);
  });
});

test("a long history is read in part, each state once, and the answer says so", async () => {
  const states = Array.from({ length: 31 }, (_, index) => edited("shop/map.yaml", "blue", `color-${index}`));
  const { finding, rendered } = await asked(states);
  expect(finding).toMatchObject({ notes: ["only the newest 20 of 31 commits were read"] });
  expect(finding.kind === "facts" ? Object.keys(finding.facts) : []).toHaveLength(20);
  expect(rendered.length).toBe(new Set(rendered).size);
});

test("a workload that is not on the cluster has no manifests that anybody could name", async () => {
  const { finding } = await asked([healthy], false);
  expect(finding.kind).toBe("missing");
});
