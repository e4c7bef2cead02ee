import { expect, test } from "vitest";
import type { Entry } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { recentCommits } from "../../../src/flow/collect/commits/recent-commits.ts";
import { planChange } from "../../../src/flow/plan/plan.ts";
import { render } from "../../../src/manifests/render/render.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { base, overlay } from "./branch.ts";

const { workload } = anIncident();
const tree = treeOf({
  ...base("1"),
  ...overlay("production"),
  ".github/rectify.yml": JSON.stringify({ namespaces: [workload.namespace] }),
});

/** A repository that has the very path which the controller of the workload reads. */
function portsWith(entry: Partial<Entry>) {
  const controller = { tool: "flux", path: "production", object: "Kustomization flux-system/web" } as const;
  return {
    github: {
      head: async () => ({ sha: "a".repeat(40), tree }),
      commitsSince: async () => [{ sha: "b".repeat(40), parent: "a".repeat(40), at: "2026-11-24T01:00:00Z" }],
    },
    cluster: {
      workload: async () => ({ ...workload, replicas: 2 }),
      entryOf: async (): Promise<Entry> => ({ ...controller, ...entry }),
    },
    renderer: { render: async (at: typeof tree, which: Entry) => render(at, which) },
    renderedAt: async () => {
      throw new Error("nothing is rendered");
    },
    telemetry: { log: () => undefined },
  } as unknown as Ports & Parameters<typeof recentCommits>[3];
}

const change = { kind: "replicas", to: 3 } as const;
const wanted = { kind: "scale", workload, change, from: "2", to: "3", sizing: [] } as const;
const another = { repository: "https://github.com/acme/team-b.git", elsewhere: true };

test("what is read from another repository is not changed here, though the same path is here as well", async () => {
  expect(await planChange(anIncident(), wanted, portsWith({}))).toMatchObject({ kind: "change" });
  const planned = await planChange(anIncident(), wanted, portsWith(another));
  expect(planned).toEqual({
    ...{ kind: "none", ending: "refused" },
    because: expect.stringMatching(
      /^Kustomization flux-system\/web reads .*web from https:\/\/github\.com\/acme\/team-b\.git, and this Rectify works on another repository\. .*: RECTIFY_REPOSITORY=…,acme\/team-b$/,
    ),
  });
});

test("our commits are no suspects for what is read from another repository", async () => {
  const found = await recentCommits(workload, { ...workload, replicas: 2 }, new Date(0), portsWith(another));
  expect(found).toMatchObject({ kind: "missing", because: expect.stringContaining("another repository") });
});
