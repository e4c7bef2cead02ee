import { expect, test } from "vitest";
import { startProduct } from "../engine.ts";
import { freshDatabase } from "../postgres.ts";
import { herdLoad } from "./herd-load.ts";
import { lineLoad } from "./line-load.ts";
import { soakLoad } from "./soak-load.ts";

// The benches in their smallest form: what they promise, and that their figures are there. How fast it was is no matter.

test("herd: after a kill each incident that waits is looked at, and no pull request is lost or doubled", {
  timeout: 300_000,
}, async () => {
  const load = { url: await freshDatabase(), incidents: 4, open: 2, countedMs: 0 };
  const { open, looked, looks, githubPoints } = await herdLoad(load);
  expect({ open, looked }).toEqual({ open: 2, looked: 2 });
  expect(githubPoints).toBeGreaterThan(0);
  // Measured: 55 for two looks. What waits and what is open is looked at as often, whatever time it takes: more is a burst.
  expect(githubPoints).toBeLessThanOrEqual(100 + 20 * looks);
});

test("soak: incident after incident ends, and what each took is told", { timeout: 300_000 }, async () => {
  const samples: object[] = [];
  const result = await soakLoad({
    ...{ url: await freshDatabase(), goesOn: (incidents) => incidents < 2, everyMs: 0 },
    sampled: (sample) => void samples.push(sample),
  });
  expect(result).toMatchObject({ incidents: 2, endings: { declined: 2 }, samples: 1 });
  for (const key of ["liveMb", "rssMb", "handles", "rows", "bytes", "cpuS", "files"])
    expect(samples.map((sample) => (sample as Record<string, number>)[key])).toEqual([
      expect.any(Number),
      expect.any(Number),
    ]);
  expect(result.rowsPerIncident).toBeGreaterThan(0);
});

test("line: each run opens one pull request, with the calls that are promised", { timeout: 300_000 }, async () => {
  const result = await lineLoad({ runs: 2, url: await freshDatabase(), start: startProduct });
  expect(result).toMatchObject({ runs: 2, endings: ["declined", "declined"] });
  expect(result.githubCallsMedian).toBeLessThanOrEqual(8);
  for (const step of ["collect", "diagnose", "plan", "gate", "propose"])
    expect(result.stepsP50Ms[step]).toEqual(expect.any(Number));
  expect([result.p50Ms, result.p95Ms, result.maxMs].every((ms) => ms > 0)).toBe(true);
});
