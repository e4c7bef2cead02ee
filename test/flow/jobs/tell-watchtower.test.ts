import { expect, test } from "vitest";
import { reconcileDashboard } from "../../../src/flow/jobs/dashboard.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { gatePorts } from "../../plan.ts";
import { aWatchtower } from "../../watchtower.ts";

async function kept(watchtower: Ports["watchtower"]) {
  const bodies: { body: string; mayOpen: boolean }[] = [];
  const marks: [string, boolean][] = [];
  const ports = gatePorts({ guardrails: {} });
  const github: Partial<Ports["github"]> = {
    head: async () => ({ sha: "b".repeat(40), tree: await ports.github.at("") }),
    keepIssue: async ({ body }, mayOpen) => {
      bodies.push({ body, mayOpen });
      return undefined;
    },
    mark: async (label, on) => void marks.push([label, on]),
  };
  const queue: Partial<Ports["queue"]> = {
    overview: async () => ({ open: [], listed: [], ready: [], used: { open: 0, lastHour: 0 } }),
  };
  const timings = { coolDownMs: 0 } as Ports["timings"];
  await reconcileDashboard(
    {
      ...ports,
      timings,
      ...({ github, queue } as Pick<Ports, "github" | "queue">),
      watchtower,
    },
    "default",
  );
  return { ...bodies[0], marks };
}

test("Watchtower mode opens the dashboard, stands on it with its reasons, and marks what is open", async () => {
  const { body, mayOpen, marks } = await kept(aWatchtower());
  expect(body).toContain("Watchtower mode: watching since 1970-01-01T00:00:00.000Z: the model failed several times");
  expect(mayOpen).toBe(true);
  expect(marks).toEqual([["watchtower", true]]);
});

test("while Rectify acts, the dashboard is silent about it and the marks are taken off", async () => {
  const { body, mayOpen, marks } = await kept(aWatchtower({ mode: "acting", reasons: [] }));
  expect(body).not.toContain("Watchtower");
  expect(mayOpen).toBe(false);
  expect(marks).toEqual([["watchtower", false]]);
});
