import { deepEqual, equal, match, ok } from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kyvernoEngine } from "../../src/adapters/cli-tools/kyverno.ts";
import { checkedObjects } from "../../src/domain/gate/checked-objects.ts";
import { gateFilesIn } from "../../src/domain/gate/gate-files.ts";
import { policyLacks, type PolicyVerdict } from "../../src/domain/gate/policy-report.ts";
import { checkOf } from "../../src/domain/gate/policy-text.ts";
import { evaluatePolicies } from "../../src/flow/gate/evaluate-policies.ts";
import { aDeployment, kyvernoOptions, ourPolicies } from "../policies.ts";
import type { FaultRow } from "./row.ts";

type Files = readonly { readonly path: string; readonly content: string }[];

/** §3.8 K: the Kyverno CLI. */
export const policyRows: readonly FaultRow[] = [
  ...Object.entries({
    "exits without a word": "exit 0",
    "prints garbage": "echo 'panic: oops'; exit 2",
    "prints a report about nothing": `echo '{"kind":"ClusterReport","results":[]}'`,
    "is killed": "kill -9 $$",
    "is cut in the middle of its report": `printf '{"kind":"ClusterReport","results":[{"pol'; kill -9 $$`,
  }).map(
    ([how, apply]): FaultRow => ({
      id: "K01",
      what: `a CLI that ${how} gives no verdict`,
      check: async () => noVerdict(await withProgram("v1.19.1", apply)),
    }),
  ),
  {
    id: "K01",
    what: "a CLI that hangs gives no verdict within the deadline",
    check: async () => noVerdict(await withProgram("v1.19.1", "exec /bin/sleep 60", 500)),
  },
  {
    id: "K01",
    what: "a missing CLI gives no verdict, and says that the policy check did not run",
    check: async () => {
      const verdict = await engineAt("/nonexistent/kyverno").judge(question());
      noVerdict(verdict);
      match(checkOf(verdict).summary, /Policies were not evaluated/);
    },
  },
  ...Object.entries<Files>({
    "a broken policy file": [...ourPolicies(), { path: "policies/broken.yaml", content: "a: [" }],
    "an empty policy directory": [],
    "a policy of a kind with a typing error": [...ourPolicies(), aPolicy({ kind: "ValidtingPolicy" })],
    "a policy whose resource has a typing error": [...ourPolicies(), aPolicy({ resource: "deploymets" })],
    "an expression that does not compile": [...ourPolicies(), aPolicy({ expression: "object.spec.(" })],
  }).map(
    ([what, files]): FaultRow => ({
      id: "K02",
      what: `${what} gives no verdict`,
      needs: "kyverno",
      check: async () => noVerdict(await kyvernoEngine(kyvernoOptions).judge({ ...question(), files })),
    }),
  ),
  {
    id: "K02",
    what: "no objects to judge give no verdict",
    needs: "kyverno",
    check: async () => noVerdict(await kyvernoEngine(kyvernoOptions).judge({ files: ourPolicies(), objects: [] })),
  },
  {
    id: "K02",
    what: "a changed object that was not rendered gives no verdict",
    check: async () => {
      const object = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop-production", name: "gone" };
      const changes = [{ object, field: ["spec", "replicas"], from: 2, to: 3 }];
      const change = { files: ourPolicies(), objects: [aDeployment("web")], changes, incident: undefined };
      noVerdict(
        await evaluatePolicies(change, { judge: async () => ({ kind: "passed", results: [], notEvaluated: [] }) }),
      );
    },
  },
  ...[
    "resource.List('apps/v1', 'deployments', 'x').items.size() < 9",
    "globalContext.Get('deployments', '') == 1",
    "http.Get('http://127.0.0.1:9/').ok == true",
  ].map(
    (expression): FaultRow => ({
      id: "K03",
      what: `listed as not evaluated, and nothing is auto-merged: ${expression}`,
      needs: "kyverno",
      check: async () => {
        const verdict = await kyvernoEngine(kyvernoOptions).judge({
          ...question(),
          files: [...ourPolicies(), aPolicy({ expression })],
        });
        equal(verdict.kind, "passed");
        equal(verdict.notEvaluated.length, 1);
        match(verdict.notEvaluated[0] ?? "", /^policy extra: it asks/);
        equal(policyLacks(verdict).length, 1);
      },
    }),
  ),
  {
    id: "K04",
    what: "an audit policy that fails is shown, does not block, and nothing is auto-merged",
    needs: "kyverno",
    check: async () => {
      const audit = aPolicy({ expression: "object.spec.replicas > 100", actions: ["Audit"] });
      const files = [...ourPolicies(), audit];
      const verdict = await kyvernoEngine(kyvernoOptions).judge({ ...question(), files });
      equal(verdict.kind, "passed");
      deepEqual(policyLacks(verdict), ["policy extra warns: extra says no"]);
      match(checkOf(verdict).summary, /Shown only:[\s\S]*extra says no/);
    },
  },
  ...["v1.18.4", "v1.20.0", "---", "v1.19.1-rc.1"].map(
    (version): FaultRow => ({
      id: "K05",
      what: `a CLI of version ${version} gives no verdict`,
      check: async () => noVerdict(await withProgram(version, `echo '{"kind":"ClusterReport","results":[]}'`)),
    }),
  ),
  {
    id: "K06",
    what: "a change of policies, workflows, guardrails, ledger or owners is seen, other files are not",
    check: () => {
      const gate = [
        "policies/replicas.yaml",
        "policies/tests/x.yaml",
        ".github/workflows/rectify-policy.yml",
        ".github/rectify.yml",
        ".rectify/autonomy.yml",
        "CODEOWNERS",
        "docs/CODEOWNERS",
      ];
      deepEqual(gateFilesIn([...gate, "apps/policies.yaml", "postmortems/a.md", "runbooks/b.md"]), gate);
    },
  },
];

interface Extra {
  readonly kind?: string;
  readonly resource?: string;
  readonly expression?: string;
  readonly actions?: readonly string[];
}

function aPolicy({ kind, resource, expression, actions }: Extra) {
  const rule = {
    apiGroups: ["apps"],
    apiVersions: ["v1"],
    operations: ["CREATE"],
    resources: [resource ?? "deployments"],
  };
  const policy = {
    apiVersion: "policies.kyverno.io/v1",
    kind: kind ?? "ValidatingPolicy",
    metadata: { name: "extra" },
    spec: {
      validationActions: actions ?? ["Deny"],
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: expression ?? "true", message: "extra says no" }],
    },
  };
  return { path: "policies/extra.yaml", content: JSON.stringify(policy) };
}

function question() {
  return { files: ourPolicies(), objects: checkedObjects([aDeployment("web")], [], undefined).objects };
}

function engineAt(path: string, timeoutMs = 60_000) {
  return kyvernoEngine({ path, toolsDirectory: "/nonexistent", searchPath: "", timeoutMs });
}

/** What the gate says when a program like this stands where the CLI should be. */
async function withProgram(version: string, apply: string, timeoutMs?: number): Promise<PolicyVerdict> {
  const directory = mkdtempSync(join(tmpdir(), "rectify-faults-"));
  const path = join(directory, "kyverno");
  writeFileSync(path, `#!/bin/sh\nif [ "$1" = version ]; then echo "Version: ${version}"; exit 0; fi\n${apply}\n`);
  chmodSync(path, 0o755);
  try {
    return await engineAt(path, timeoutMs).judge(question());
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** No verdict, and so no merge without a person. */
function noVerdict(verdict: PolicyVerdict): void {
  equal(verdict.kind, "not-evaluated");
  ok(policyLacks(verdict).length > 0);
  equal(checkOf(verdict).conclusion, "neutral");
}
