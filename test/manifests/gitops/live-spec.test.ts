import { expect, test } from "vitest";
import { maskedSpec } from "../../../src/manifests/gitops/live-spec.ts";

const canary = "hunter2-canary-7781";

test.each<[string, Record<string, unknown>]>([
  ["a Helm parameter", { source: { helm: { parameters: [{ name: "postgresql.auth.password", value: canary }] } } }],
  ["a value", { source: { helm: { valuesObject: { db: { adminPassword: canary } } } } }],
  ["the text of values", { source: { helm: { values: `db:\n  password: ${canary}\nreplicas: 3\n` } } }],
  ["a block of the text of values", { values: `token: |\n  ${canary}\n  ${canary}\nreplicas: 3\n` }],
  ["a map of secrets", { values: { secrets: { SMTP_LOGIN: canary }, replicas: 3 } }],
  [
    "a patch of a Secret",
    { patches: [{ patch: `kind: Secret\nmetadata:\n  name: a\nstringData:\n  login: ${canary}\n` }] },
  ],
  ["the data of a Secret", { patches: [{ patch: `kind: Secret\nmetadata:\n  name: a\ndata:\n  login: ${canary}\n` }] }],
  ["a substitution", { postBuild: { substitute: { DB_PASSWORD: canary, REPLICAS: "3" } } }],
  ["a variable of a plugin", { source: { plugin: { env: [{ name: "API_TOKEN", value: canary }] } } }],
  ["a comment beside harmless values", { values: `replicas: 3 # password: ${canary}\n` }],
  ["a text that is no YAML", { values: `{{ if }}\npassword: ${canary}\n` }],
  ["a list of addresses", { values: { urls: [`postgres://rectify:${canary}@db/rectify`] } }],
])("%s is kept without its secret", (_what, spec) => {
  expect(JSON.stringify(maskedSpec(spec))).not.toContain(canary);
});

test("a number that is a secret is masked as well", () => {
  expect(maskedSpec({ values: { password: 19283746, port: 5432 } })).toEqual({
    values: { password: "«masked»", port: 5432 },
  });
});

test("what is no secret keeps its type and its bytes", () => {
  const spec = {
    ...{ interval: "5m", prune: true, path: "./apps", replicas: 3, none: null },
    source: {
      helm: {
        valueFiles: ["values-prod.yaml"],
        values: "replicas: 010 # octal\nimage: {tag: v1.2.3}\n",
        parameters: [{ name: "image.tag", value: "v1.2.3" }],
        valuesObject: { token: null, existingSecret: "${SECRET}", data: { size: "10Gi" } },
      },
    },
    patches: [{ patch: "- op: replace\n  path: /spec/replicas\n  value: 4\n", target: { kind: "Deployment" } }],
  };
  expect(maskedSpec(spec)).toEqual(spec);
});

test("the values beside a masked one are read as before", () => {
  const { values } = maskedSpec({ values: "password: hunter2-canary\nreplicas: 010\ntag: 'v1'\n" });
  expect(values).toBe('{"password":"«masked»","replicas":8,"tag":"v1"}');
});
