import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isRecord } from "../../src/domain/kubernetes/rendered.ts";
import { until } from "../../src/lab/start.ts";
import { parseYamlDocuments } from "../../src/manifests/yaml/yaml.ts";
import type { ControlPlane } from "./control-plane.ts";
import { givenDefinitions, installDefinitions, objectsIn, vendors } from "./definitions.ts";
import { type Finding, findingOf } from "./finding.ts";
import type { ApiObject, KubeClient } from "./kube-client.ts";
import { releases } from "../manifests/chart-values.ts";
import { toolPath } from "./tools.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A group whose definitions are in no module that can be had: without a folder that gives them it is only rendered. */
const linkerdGroup = "policy.linkerd.io";

interface Part {
  readonly what: string;
  readonly objects: readonly ApiObject[];
}

/** Everything of `manifests/` and `policies/`, as the real API server would take it, and as Kyverno judges it. */
export async function checkManifests(plane: ControlPlane): Promise<readonly Finding[]> {
  const { kube } = plane;
  const given = givenDefinitions();
  await installDefinitions(kube, vendors, given);
  const unknownGroup = given.length === 0 ? linkerdGroup : undefined;
  const parts = [...entries().map(rendered), ...charts(), ...plainFiles(), policies()];
  const objects = parts.flatMap((part) => part.objects);
  await prepareNamespaces(kube, objects);
  const findings: Finding[] = [];
  for (const part of parts)
    findings.push(await findingOf(`manifests: ${part.what}`, () => dryRun(kube, part.objects, unknownGroup)));
  findings.push(await findingOf("manifests: pods under restricted pod security", () => tryPods(kube, objects)));
  findings.push(await findingOf("manifests: our policies on them", () => Promise.resolve(judged(objects))));
  return findings;
}

/** What is applied as a whole: bases and components are parts of these. */
function entries(): readonly string[] {
  return readdirSync(join(root, "manifests"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("/kustomization.yaml"))
    .map((path) => join("manifests", dirname(path)))
    .filter((path) => !/\/(base|components)(\/|$)/.test(path))
    .sort();
}

function rendered(path: string): Part {
  const { status, stdout, stderr } = spawnSync(toolPath("kustomize"), ["build", join(root, path)], {
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) throw new Error(`kustomize build ${path}: ${stderr}`);
  return { what: path, objects: objectsOf(`kustomize build ${path}`, stdout) };
}

/** The chart of Rectify, its tests among its objects. */
function charts(): readonly Part[] {
  const chart = join(root, "manifests/chart");
  return Object.entries(releases).map(([how, values]) => {
    const args = ["template", "rectify", chart, "--namespace", "rectify", "--values", "-"];
    args.push("--api-versions", "monitoring.coreos.com/v1");
    const input = JSON.stringify(values);
    const { status, stdout, stderr } = spawnSync(toolPath("helm"), args, { encoding: "utf8", input });
    if (status !== 0) throw new Error(`helm template ${how}: ${stderr}`);
    return { what: `manifests/chart ${how}`, objects: objectsOf(`helm template ${how}`, stdout) };
  });
}

function objectsOf(what: string, rendering: string): readonly ApiObject[] {
  const read = parseYamlDocuments(rendering);
  if (!read.ok) throw new Error(`${what}: ${read.problem}`);
  return read.value.filter(isRecord) as unknown as ApiObject[];
}

/** What a person applies as it is: the entries of Flux and Argo CD. */
function plainFiles(): readonly Part[] {
  return ["manifests/argocd", "manifests/clusters/production", "manifests/clusters/staging"].map((path) => ({
    what: path,
    objects: objectsIn(join(root, path)),
  }));
}

function policies(): Part {
  return { what: "policies", objects: objectsIn(join(root, "policies")) };
}

function groupOf({ apiVersion }: ApiObject): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

async function dryRun(
  kube: KubeClient,
  objects: readonly ApiObject[],
  unknownGroup: string | undefined,
): Promise<string> {
  const known = objects.filter((object) => groupOf(object) !== unknownGroup);
  const refused: string[] = [];
  for (const object of known) {
    const path = `${await kube.pathOf(object)}?fieldManager=manifests-check&dryRun=All&fieldValidation=Strict`;
    const contentType = "application/apply-patch+yaml";
    const { status, body } = await kube.call("PATCH", path, { body: object, contentType });
    const said = isRecord(body) && typeof body.message === "string" ? body.message : `HTTP ${status}`;
    if (status >= 300) refused.push(`${object.kind} ${object.metadata.name}: ${said}`);
  }
  if (refused.length > 0) throw new Error(refused.join("; "));
  const left = objects.length - known.length;
  const unchecked = left === 0 ? "" : `; ${left} only rendered: the definitions of ${linkerdGroup} are not available`;
  return `${known.length} objects accepted${unchecked}`;
}

const podNamespace = "manifests-check";

/** What the driver's own installation brings to a cluster with GPUs; without it no pod may name it. */
const gpuRuntime: ApiObject = {
  ...{ apiVersion: "node.k8s.io/v1", kind: "RuntimeClass" },
  ...{ metadata: { name: "nvidia" }, handler: "nvidia" },
};

interface Template {
  readonly metadata?: { readonly labels?: object };
  readonly spec?: object;
}

function templateOf(object: ApiObject): Template | undefined {
  if (object.kind === "Pod") return object as Template;
  return (object.spec as { readonly template?: Template } | undefined)?.template;
}

/** Every pod of ours must fit the strictest standard of Kubernetes, whichever namespace it is put into. */
async function tryPods(kube: KubeClient, objects: readonly ApiObject[]): Promise<string> {
  const templated = objects.flatMap((object) => {
    const template = templateOf(object);
    return template?.spec === undefined ? [] : [{ kind: object.kind, metadata: object.metadata, template }];
  });
  const refused: string[] = [];
  for (const { kind, metadata, template } of templated) {
    const body = {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name: metadata.name, labels: template.metadata?.labels } },
      spec: { restartPolicy: "Always", ...template.spec, serviceAccountName: "default" },
    };
    const path = `/api/v1/namespaces/${podNamespace}/pods?dryRun=All&fieldValidation=Strict`;
    const answer = await kube.call("POST", path, { body });
    const said = isRecord(answer.body) ? String(answer.body.message) : "";
    if (answer.status >= 300) refused.push(`${kind} ${metadata.name}: HTTP ${answer.status} ${said}`);
  }
  if (refused.length > 0) throw new Error(refused.join("; "));
  return `${templated.length} pod templates accepted`;
}

/** A dry run needs the namespace to be there. They stay: whoever installs the parts makes them first, too. */
async function prepareNamespaces(kube: KubeClient, objects: readonly ApiObject[]): Promise<void> {
  const named = objects.flatMap(({ metadata }) => (metadata.namespace === undefined ? [] : [metadata.namespace]));
  const wanted = [...new Set([...named, podNamespace])];
  const missing: string[] = [];
  for (const name of wanted) {
    if ((await kube.call("GET", `/api/v1/namespaces/${name}`)).status === 404) missing.push(name);
  }
  await kube.apply([gpuRuntime]);
  await kube.apply(
    missing.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels: labelsOf(name) } })),
  );
  const account = `/api/v1/namespaces/${podNamespace}/serviceaccounts/default`;
  await until("the account of the pods", async () => (await kube.call("GET", account)).status === 200);
}

function labelsOf(namespace: string): Readonly<Record<string, string>> {
  return namespace === podNamespace ? { "pod-security.kubernetes.io/enforce": "restricted" } : {};
}

/** The gate's policies must pass what the repository itself ships. */
function judged(objects: readonly ApiObject[]): string {
  const counts: string[] = [];
  for (let rest = objects.filter(isOurs); rest.length > 0; ) {
    // The CLI takes no object twice, and the overlays of two clusters hold the same ones.
    const batch = [...new Map(rest.map((object) => [identityOf(object), object])).values()];
    counts.push(applied(batch));
    rest = rest.filter((object) => !batch.includes(object));
  }
  return counts.join(" + ");
}

function applied(objects: readonly ApiObject[]): string {
  const directory = mkdtempSync(join(tmpdir(), "manifests-check-"));
  try {
    const file = join(directory, "objects.yaml");
    writeFileSync(file, objects.map((object) => JSON.stringify(object)).join("\n---\n"));
    const names = readdirSync(join(root, "policies")).filter((name) => name.endsWith(".yaml"));
    const args = ["apply", ...names.map((name) => join(root, "policies", name)), "--resource", file];
    const { status, stdout, stderr } = spawnSync(toolPath("kyverno"), args, { cwd: directory, encoding: "utf8" });
    const summary = /pass: \d+, fail: 0, warn: 0, error: 0, skip: \d+/.exec(stdout)?.[0];
    if (status !== 0 || summary === undefined) throw new Error(`kyverno apply: ${(stdout + stderr).slice(-2_000)}`);
    return `${objects.length} objects: ${summary}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function isOurs(object: ApiObject): boolean {
  return groupOf(object) !== "policies.kyverno.io";
}

function identityOf({ apiVersion, kind, metadata }: ApiObject): string {
  return [apiVersion, kind, metadata.namespace ?? "", metadata.name].join("/");
}
