import { buildPath, emptyBuild } from "../trace/kustomize.ts";
import { insideRepository } from "../repository/reader.ts";
import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { maxFileBytes } from "../yaml/source.ts";

/** Why the workload is not among the objects of the entry. */
export function absence(entryBuild: EntryBuild): Refusal {
  const { workload } = entryBuild.question;
  const what = `${workload.kind} ${workload.name}`;
  const owner = workload.ownerReferences?.[0];
  if (owner)
    return refused(
      "operator-owned",
      `${owner.kind} ${owner.name} makes ${what}`,
      `Change ${owner.kind} ${owner.name} by hand.`,
    );
  const manager = workload.labels?.["app.kubernetes.io/managed-by"];
  if (manager !== undefined && !/^(?:helm|kustomize|flux|argocd|argo-cd|tiller)/i.test(manager)) {
    return refused("operator-owned", `${manager} makes ${what}`, `Change the custom resource that ${manager} reads.`);
  }
  const generated = [...entryBuild.build.files].find((path) => path.endsWith("gotk-components.yaml"));
  if (generated !== undefined && workload.namespace === "flux-system") {
    return refused(
      "generated-file",
      `${generated}:1 is written by flux bootstrap`,
      "Add a patch to the kustomization.yaml beside it.",
    );
  }
  return notInSource(entryBuild, what);
}

/** What in the entry's files explains that the workload is not there. */
function notInSource(entryBuild: EntryBuild, what: string): Refusal {
  const { workload } = entryBuild.question;
  const jsonnet = /\.(?:jsonnet|libsonnet)$/;
  const source = jsonnet.test(entryBuild.path)
    ? entryBuild.path
    : entryBuild.tree.paths().find((path) => jsonnet.test(path) && path.startsWith(`${entryBuild.path}/`));
  if (source !== undefined)
    return refused("jsonnet", `${source}:1 is written in Jsonnet`, "Change the Jsonnet source by hand.");
  const remote = entryBuild.build.remotes[0];
  if (remote) {
    const because = `${remote.path}:${remote.line} takes ${remote.reference} from elsewhere`;
    return refused("remote-base", because, "Change it there, or add a patch here.");
  }
  const templated = [...entryBuild.build.files].find((path) => isTemplate(entryBuild, path));
  const named = entryBuild.resources.find(
    (one) => one.kind === workload.kind && fitsTemplate(one.names[0] ?? "", workload.name),
  );
  if (named)
    return refused(
      "template",
      `${whereIs(named.origin)} is named ${named.names[0]}, filled in by a program`,
      "Change what the template is filled with.",
    );
  const problem = entryBuild.reader.problems[0];
  if (templated !== undefined)
    return refused("template", `${templated}:1 is filled in by a program`, "Change what the template is filled with.");
  if (problem)
    return refused("parse-error", `${problem.path}:${problem.line}: ${problem.because}`, "Repair the file first.");
  const disabled = commentedOut(entryBuild);
  if (disabled) return disabled;
  const missing = entryBuild.build.missing[0];
  if (missing)
    return refused(
      "not-found",
      `${what} is not in ${entryBuild.path}; ${missing.path}:${missing.line} names ${missing.reference}, which is not in the repository`,
      "Repair the reference.",
    );
  return refused(
    "not-found",
    `${what} is not among the objects of ${entryBuild.path}`,
    "Look for another entry that deploys it.",
  );
}

/** A line of a kustomization that someone commented out and that names a file or directory with the workload. */
function commentedOut(entryBuild: EntryBuild): Refusal | undefined {
  const { workload } = entryBuild.question;
  for (const directory of entryBuild.build.directories) {
    const path = entryBuild.reader.kustomization(directory);
    const source = path === undefined ? undefined : entryBuild.reader.file(path);
    if (path === undefined || !source?.ok) continue;
    for (const [n, line] of source.file.text.split("\n").entries()) {
      const reference = /^\s*#\s*-\s+["']?([\w./-]+)["']?\s*$/.exec(line)?.[1];
      const target = reference === undefined ? undefined : insideRepository(directory, reference);
      if (target === undefined || !holds(entryBuild, target)) continue;
      const because = `${path}:${n + 1} comments out ${reference}, which holds ${workload.kind} ${workload.name}`;
      return refused("deliberately-disabled", because, "Ask its owners before switching it on.");
    }
  }
  return undefined;
}

function holds(entryBuild: EntryBuild, target: string): boolean {
  if (!entryBuild.reader.exists(target) && !entryBuild.reader.isDirectory(target)) return false;
  const { kind, name } = entryBuild.question.workload;
  return buildPath(entryBuild.reader, target, emptyBuild({ kind, name })).some(
    (one) => one.supposed !== true && one.kind === kind && one.names.includes(name),
  );
}

/** A file of the entry that cannot be read and may say something about the workload: a kustomization, a patch, its own. */
export function unreadable(entryBuild: EntryBuild): Refusal | undefined {
  for (const problem of entryBuild.reader.problems) {
    if (!entryBuild.build.files.has(problem.path)) continue;
    const bytes = entryBuild.tree.read(problem.path);
    const text = bytes && bytes.length <= 16 * maxFileBytes ? new TextDecoder().decode(bytes) : "";
    const harmless =
      text !== "" &&
      /^kind:/m.test(text) &&
      !/^kind:\s*(?:Kustomization|Component)/m.test(text) &&
      !text.includes(entryBuild.question.workload.name);
    if (harmless) continue;
    const where = `${problem.path}:${problem.line}`;
    if (isTemplate(entryBuild, problem.path))
      return refused("template", `${where} is filled in by a program`, "Change what the template is filled with.");
    return refused("parse-error", `${where}: ${problem.because}`, "Repair the file first.");
  }
  return undefined;
}

function fitsTemplate(template: string, name: string): boolean {
  const literals = template.split(/\{\{.*?\}\}|\$\{.*?\}/);
  return literals.length > 1 && name.startsWith(literals[0] ?? "") && name.endsWith(literals.at(-1) ?? "");
}

function isTemplate(entryBuild: EntryBuild, path: string): boolean {
  const bytes = entryBuild.tree.read(path);
  if (!bytes || bytes.length > 1_000_000 || !/\.(?:ya?ml|json)$|Kustomization$/.test(path)) return false;
  if (entryBuild.reader.file(path)?.ok) return false;
  return /\{\{.*\}\}/.test(new TextDecoder().decode(bytes));
}
