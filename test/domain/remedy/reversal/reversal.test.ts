import { describe, expect, test } from "vitest";
import type { RenderedObject } from "../../../../src/domain/kubernetes/rendered.ts";
import { forbiddenReversal, looseningsIn } from "../../../../src/domain/remedy/reversal/limits.ts";
import { proveReversal } from "../../../../src/domain/remedy/reversal/proof.ts";
import { changesBetween } from "../../../../src/domain/kubernetes/object-changes.ts";

const object = (kind: string, name: string, rest: object, apiVersion = "v1"): RenderedObject =>
  ({ apiVersion, kind, metadata: { name, namespace: "shop" }, ...rest }) as RenderedObject;
const web = (env: Readonly<Record<string, string>>, image = "web:1") =>
  object("Deployment", "web", {
    spec: {
      containers: [{ name: "web", image, env: Object.entries(env).map(([name, value]) => ({ name, value })) }],
    },
  });
const service = (app: string) => object("Service", "web", { spec: { selector: { app } } });

describe("the proof of a reversal", () => {
  test("holds where every field that moves comes back", () => {
    const before = [web({ A: "1" }), service("web")];
    const broken = [web({ A: "2" }), service("wep")];
    expect(proveReversal({ parent: before, commit: broken, head: broken, after: before })).toMatchObject({
      kind: "proven",
      restored: ["Deployment shop/web", "Service shop/web"],
    });
  });

  test("keeps what later commits did to the same object", () => {
    const parent = [web({ A: "1" })];
    const commit = [web({ A: "2" })];
    const head = [web({ NEW: "x", A: "2" }, "web:2")];
    const after = [web({ NEW: "x", A: "1" }, "web:2")];
    expect(proveReversal({ parent, commit, head, after }, new Set(["Deployment shop/web"])).kind).toBe("proven");
  });

  test("fails where a field moves that the commit left alone", () => {
    const parent = [web({ A: "1" })];
    const commit = [web({ A: "2" })];
    const head = [web({ A: "2" }, "web:2")];
    const after = [web({ A: "1" }, "web:1")];
    expect(proveReversal({ parent, commit, head, after })).toMatchObject({
      kind: "refused",
      because: expect.stringContaining("containers[name=web].image"),
    });
  });

  test("fails where a wanted object keeps what the commit did", () => {
    const before = [web({ A: "1" }), service("web")];
    const broken = [web({ A: "2" }), service("wep")];
    const half = [web({ A: "1" }), service("wep")];
    const sides = { parent: before, commit: broken, head: broken, after: half };
    expect(proveReversal(sides, new Set(["Service shop/web"])).kind).toBe("refused");
  });

  test("knows a generated ConfigMap under its new hash", () => {
    const map = (hash: string, data: object) => object("ConfigMap", `web-${hash}`, { data });
    const user = (hash: string) => object("Deployment", "web", { spec: { envFrom: `web-${hash}` } });
    const [p, c, h, a] = ["bcdfghkmt2", "bcdfghkmt4", "bcdfghkmt5", "bcdfghkmt6"] as const;
    const sides = {
      parent: [map(p, { A: "1" }), user(p)],
      commit: [map(c, { A: "2" }), user(c)],
      head: [map(h, { A: "2", B: "1" }), user(h)],
      after: [map(a, { A: "1", B: "1" }), user(a)],
    };
    expect(proveReversal(sides, new Set(["ConfigMap shop/web"]))).toMatchObject({ restored: ["ConfigMap shop/web"] });
  });
});

describe("the limits of a reversal", () => {
  test.each(["PersistentVolumeClaim", "CustomResourceDefinition", "Namespace", "Secret"])(
    "never deletes a %s",
    (kind) => {
      expect(forbiddenReversal(changesBetween([object(kind, "x", {})], []))).toContain(`delete a ${kind}`);
    },
  );

  test("never goes back to an old Secret value", () => {
    const secret = (value: string) => [object("Secret", "db", { data: { password: value } })];
    expect(forbiddenReversal(changesBetween(secret("new"), secret("old")))).toContain("an old Secret value");
  });

  test("never touches a policy", () => {
    const policy = (action: string) => [object("ClusterPolicy", "x", { spec: { action } }, "kyverno.io/v1")];
    expect(forbiddenReversal(changesBetween(policy("Enforce"), policy("Audit")))).toContain("policy");
  });

  test.each<[string, readonly RenderedObject[], readonly RenderedObject[]]>([
    ["a network policy", [object("NetworkPolicy", "deny", {})], []],
    ["permissions", [], [object("RoleBinding", "x", {})]],
    ["mesh protection", [object("PeerAuthentication", "x", { spec: { mode: "STRICT" } })], []],
    ["admission", [object("ValidatingWebhookConfiguration", "x", {})], []],
    [
      "a security context",
      [object("Deployment", "x", { spec: { securityContext: { runAsNonRoot: true } } })],
      [object("Deployment", "x", { spec: {} })],
    ],
  ])("says that it may loosen %s", (what, before, after) => {
    expect(looseningsIn(changesBetween(before, after))[0]).toContain(`changes ${what}`);
  });

  test("says nothing of a plain value", () => {
    expect(looseningsIn(changesBetween([web({ A: "1" })], [web({ A: "2" })]))).toEqual([]);
  });
});
