import { describe, expect, test } from "vitest";
import { assessRisk } from "../../../src/domain/gate/risk.ts";
import { base, overlay, revert, web } from "./branch.ts";

test("where no namespace is named, shadow mode looks at the reversal of its own namespace, and live refuses it", async () => {
  const states = [
    { ...base("1"), ...overlay("production") },
    { ...base("2"), ...overlay("production") },
  ];
  expect(await revert(states, { namespaces: [], mode: "shadow" })).toMatchObject({ kind: "change" });
  expect(await revert(states, { namespaces: [] })).toMatchObject({ kind: "none", ending: "refused" });
  expect(await revert(states, { namespaces: [], hypothetical: true })).toMatchObject({ kind: "change" });
  const but = (remedy: string) => ({ namespaces: [], mode: "shadow" as const, modes: [{ remedy, mode: "live" }] });
  expect(await revert(states, but("scale"))).toMatchObject({ kind: "change" });
  expect(await revert(states, but("revert-commit"))).toMatchObject({ kind: "none", ending: "refused" });
});

describe("a commit on a base that two entries read", () => {
  const both = { ...overlay("production"), ...overlay("staging") };
  const states = [
    { ...base("1"), ...both },
    { ...base("2"), ...both },
  ];

  test("is not reverted where the guardrails do not allow the other entry's namespace", async () => {
    const planned = await revert(states, { namespaces: ["shop-production"] });
    expect(planned).toMatchObject({ kind: "none", ending: "refused" });
    const because = planned.kind === "none" ? planned.because : "";
    expect(because).toContain("Kustomization flux-system/shop-staging");
    expect(because).toContain("namespace shop-staging");
    expect(because).toContain("namespaces: [shop-production, shop-staging]");
  });

  test("is reverted from both where both are allowed, which is never low in risk", async () => {
    const planned = await revert(states, { namespaces: ["shop-production", "shop-staging"] });
    if (planned.kind !== "change") throw new Error(planned.because);
    expect(planned.files).toEqual([{ path: "base/web.yaml", before: web("2"), after: web("1") }]);
    expect(planned.effect.changes.map(({ object }) => object.namespace)).toEqual(["shop-production", "shop-staging"]);
    const objectsChanged = planned.effect.changes.length;
    const risk = assessRisk({
      ...{ kind: "revert-commit", amount: undefined, critical: false, objectsChanged, witnesses: "agree" },
      ...{ taintedOnly: false, recentChanges: 0, cycles: 1, insideWindow: true, proof: "rendered" },
      trust: { successes: 9, needed: 3, lastFailed: false },
    });
    expect(risk.level).toBe("high");
  });

  test("is not reverted where the other entry cannot be rendered", async () => {
    const broken = { "staging/kustomization.yaml": "resources: [../base, gone.yaml]\n" };
    const planned = await revert(
      states.map((state) => ({ ...state, ...broken })),
      { namespaces: ["shop-production", "shop-staging"] },
    );
    expect(planned).toMatchObject({ ending: "refused", because: expect.stringContaining("cannot be rendered") });
  });

  test("is reverted where the other entry does not read it", async () => {
    const apart = { ...both, "staging/kustomization.yaml": "namespace: shop-staging\nresources: [web.yaml]\n" };
    const own = { ...apart, "staging/web.yaml": web("0") };
    const planned = await revert(
      [
        { ...base("1"), ...own },
        { ...base("2"), ...own },
      ],
      {
        namespaces: ["shop-production"],
      },
    );
    expect(planned).toMatchObject({ kind: "change", warnings: [] });
  });
});

test("a commit whose line a newer one changed again is not reverted, and both are named", async () => {
  const overlays = overlay("production");
  const states = ["1", "2", "3"].map((tag) => ({ ...base(tag), ...overlays }));
  const planned = await revert(states, { namespaces: ["shop-production"] });
  expect(planned).toMatchObject({ kind: "none", ending: "refused" });
  const because = planned.kind === "none" ? planned.because : "";
  expect(because).toContain("base/web.yaml");
  expect(because).toContain("commit bbbbbbb");
  expect(because).toContain("commit ccccccc");
});
