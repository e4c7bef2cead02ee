import { expect, test } from "vitest";
import { looksAt, readPolicies } from "../../../src/domain/gate/policy.ts";
import { parseYamlDocuments } from "../../../src/manifests/yaml/yaml.ts";
import { aDeployment, ourPolicies } from "../../policies.ts";

function aPolicy(spec: object = {}, changes: object = {}) {
  return {
    apiVersion: "policies.kyverno.io/v1",
    kind: "ValidatingPolicy",
    metadata: { name: "p" },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] },
        ],
      },
      validations: [{ expression: "object.spec.replicas < 5", message: "ask the cluster: resource.Get" }],
      ...spec,
    },
    ...changes,
  };
}

const read = (...documents: unknown[]) => readPolicies([{ path: "policies/a.yaml", documents }]);

test("our own policies are understood, block, and need no cluster", () => {
  const files = ourPolicies().map(({ path, content }) => {
    const parsed = parseYamlDocuments(content);
    return { path, documents: parsed.ok ? parsed.value : undefined };
  });
  const { policies, problems } = readPolicies(files);
  expect(problems).toEqual([]);
  expect(policies).toHaveLength(9);
  for (const policy of policies) {
    expect(policy).toMatchObject({ audit: false, needs: undefined, selective: false });
  }
});

test.each<[string, object, object]>([
  ["a plain policy", {}, { audit: false, needs: undefined, selective: false }],
  ["an audit policy", { validationActions: ["Audit"] }, { audit: true }],
  ["audit and deny", { validationActions: ["Audit", "Deny"] }, { audit: false }],
  ["a condition", { matchConditions: [{ name: "x", expression: "true" }] }, { selective: true, needs: undefined }],
  ["a cluster look-up", expression("resource.Get('v1', 'configmaps', 'a', 'b').data.x == 'y'"), { needs: /cluster/ }],
  [
    "a look-up in a variable",
    { variables: [{ name: "x", expression: "resource.List('v1', 'pods', 'a').items" }] },
    { needs: /cluster/ },
  ],
  ["global context", expression("globalContext.Get('a', '') == 1"), { needs: /cluster/ }],
  ["a web call", expression("http.Get('https://x.example').ok"), { needs: /server/ }],
  ["an image registry", expression("image.GetMetadata('a').config.user != ''"), { needs: /registry/ }],
  ["the namespace's labels", expression("namespaceObject.metadata.labels.env == 'prod'"), { needs: /namespace/ }],
  ["the person", expression("request.userInfo.username != 'root'"), { needs: /who makes/ }],
  ["such words in quotes only", expression("object.metadata.name != 'resource.Get(1)'"), { needs: undefined }],
  ["a field of that name", expression("object.spec.resource.limits == 1"), { needs: undefined }],
  ["JSON mode", { evaluation: { mode: "JSON" } }, { needs: /Kubernetes objects/ }],
  [
    "deletions only",
    { matchConstraints: { resourceRules: [{ operations: ["DELETE"], resources: ["pods"] }] } },
    { needs: /no object that is created/ },
  ],
  ["a selector of namespaces", constrained({ namespaceSelector: { matchLabels: { a: "b" } } }), { needs: /namespace/ }],
  [
    "an empty selector",
    constrained({ namespaceSelector: {}, objectSelector: {} }),
    { needs: undefined, selective: false },
  ],
  ["a selector of objects", constrained({ objectSelector: { matchLabels: { a: "b" } } }), { selective: true }],
])("%s", (_, spec, expected) => {
  const { policies, problems } = read(aPolicy(spec));
  const wanted = Object.fromEntries(
    Object.entries(expected).map(([name, value]) => [
      name,
      value instanceof RegExp ? expect.stringMatching(value) : value,
    ]),
  );
  expect(problems).toEqual([]);
  expect(policies[0]).toMatchObject(wanted);
});

test.each<[string, unknown[], RegExp]>([
  [
    "a kind with a typing error",
    [aPolicy({}, { kind: "ValidtingPolicy" })],
    /holds ValidtingPolicy, which is no policy/,
  ],
  [
    "a deprecated policy",
    [aPolicy({}, { apiVersion: "kyverno.io/v1", kind: "ClusterPolicy" })],
    /write a ValidatingPolicy/,
  ],
  ["something else", [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }], /holds ConfigMap/],
  [
    "a policy without a spec",
    [{ apiVersion: "policies.kyverno.io/v1", kind: "ValidatingPolicy", metadata: { name: "a" } }],
    /no policy that can be read/,
  ],
  ["resources that are no list", [aPolicy(constrained({ resourceRules: "all" }))], /no policy that can be read/],
  ["a list", [[1, 2]], /holds nothing/],
  [
    "a resource with a typing error",
    [aPolicy(ruled({ resources: ["deploymets"] }))],
    /matches deploymets, which its API groups do not have/,
  ],
  ["a resource of another group", [aPolicy(ruled({ apiGroups: [""] }))], /matches deployments, which/],
  ["a version that there is not", [aPolicy(ruled({ apiVersions: ["v1beta1"] }))], /matches v1beta1, which/],
  ["two of one name", [aPolicy(), aPolicy()], /two policies are called p/],
])("%s is never left out in silence", (_, documents, problem) => {
  const { policies, problems } = read(...documents);
  const said = [...problems, ...policies.flatMap((policy) => policy.needs ?? [])].join("; ");
  expect(said).toMatch(problem);
});

test("a file that is not YAML is a problem", () => {
  expect(readPolicies([{ path: "policies/a.yaml", documents: undefined }]).problems).toEqual([
    "policies/a.yaml: is not YAML that can be read",
  ]);
});

test.each([
  ["apps", "v1", "deployments", true],
  ["*", "*", "*", true],
  ["apps", "*", "*/*", true],
  ["apps", "v1", "deployments/scale", false],
  ["example.com", "v1", "deployments", false],
  ["apps", "v1", "statefulsets", false],
])("a rule for %s %s %s looks at a Deployment: %s", (group, version, resource, looks) => {
  const rule = { apiGroups: [group], apiVersions: [version], operations: ["*"], resources: [resource] };
  const [policy] = read(aPolicy(constrained({ resourceRules: [rule] }))).policies;
  expect(policy && looksAt(policy, aDeployment("web"))).toBe(looks);
});

test.each([
  ["networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"],
  ["networking.k8s.io/v1", "Ingress", "ingresses"],
  ["v1", "Endpoints", "endpoints"],
  ["policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"],
])("%s %s is %s", (apiVersion, kind, resource) => {
  const rule = { resources: [resource] };
  const [policy] = read(aPolicy(constrained({ resourceRules: [rule] }))).policies;
  expect(policy && looksAt(policy, { apiVersion, kind, metadata: { name: "a" } })).toBe(true);
});

function expression(text: string): object {
  return { validations: [{ expression: text }] };
}

function constrained(more: object): object {
  const rules = [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] }];
  return { matchConstraints: { resourceRules: rules, ...more } };
}

function ruled(change: object): object {
  const rule = { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] };
  return { matchConstraints: { resourceRules: [{ ...rule, ...change }] } };
}
