import { expect, test } from "vitest";
import { sync } from "../../src/flow/sync.ts";
import type { Ports } from "../../src/ports/ports.ts";
import { Refused } from "../../src/ports/errors.ts";
import type { Run } from "../../src/ports/workflow.ts";

const entry = { tool: "flux", path: "apps", object: "Kustomization flux-system/shop" } as const;

/** A workflow that looks three times: the answers of the cluster, then the same one again. */
function runWith(answers: readonly (() => Promise<unknown>)[]): Run {
  let look = 0;
  const ports = {
    cluster: { appliedRevision: () => answers[Math.min(look++, answers.length - 1)]?.() },
    github: { contains: async (revision: string) => revision === "new" },
  } as unknown as Ports;
  return {
    step: (_name, work) => work(ports),
    few: (_severity, work) => work(),
    message: async () => undefined,
    timings: { pollMs: 1, syncTimeoutMs: 2 } as Ports["timings"],
  };
}

const merged = { kind: "known", sha: "new" } as const;
const forbidden = async () => {
  throw new Refused("Kubernetes: HTTP 403");
};
const holds = (sha: string) => async () => ({ kind: "applied", sha });

test("an API server that says no for a while is waited for", async () => {
  expect(await sync(entry, merged, runWith([forbidden, holds("old"), holds("new")]))).toEqual({
    reached: true,
    sha: "new",
  });
});

test("one that says no until the time is up is the reason of the ending", async () => {
  expect(await sync(entry, merged, runWith([forbidden]))).toEqual({ reached: false, because: "Kubernetes: HTTP 403" });
});

test("a commit that nobody named is not waited for: the ending says why", async () => {
  const seen = await sync(entry, { kind: "unknown" }, runWith([]));
  expect(seen).toEqual({ reached: false, final: true, because: expect.stringContaining("did not say which commit") });
});
