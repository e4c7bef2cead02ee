import { z } from "zod";
import type { Answer } from "../../manifests/locate/answer.ts";

const Proof = z.object({
  kind: z
    .enum(["rendered", "static"])
    .describe("rendered: built before and after and compared. static: by the source."),
  with: z.string().optional().describe("The renderer, when rendered."),
  because: z.string().optional().describe("Why it could not be rendered, when static."),
});

/** One line of answers. */
export const answerSchema = z.object({
  id: z.string().optional().describe("That of the question."),
  outcome: z.enum(["edit", "refused", "error"]),
  files: z
    .array(z.object({ path: z.string(), content: z.string(), before: z.string().nullable() }))
    .optional()
    .describe("Each changed file as a whole, after and before; before is null for a new file."),
  owners: z.array(z.object({ path: z.string(), field: z.string(), because: z.string() })).optional(),
  warnings: z.array(z.string()).optional(),
  proof: Proof.optional(),
  refusal: z.object({ reason: z.string(), because: z.string(), fix: z.string() }).optional(),
  error: z.string().optional().describe("The question could not be read."),
});
export type LineAnswer = z.infer<typeof answerSchema>;

/** The formats in short, for the command's help. */
export const locateHelp = `
A question, one JSON object a line:
  {"id": "1", "tree": "DIRECTORY below --tree, or {path: content}",
   "workload": {"kind": "Deployment", "namespace": "shop", "name": "web", "container": "web",
                "labels": {}, "annotations": {}, "replicas": 2},
   "change": {"kind": "replicas", "to": 3},
   "entry": {"tool": "argocd", "path": "env/prod", "object": "Application argocd/web", "cluster": "prod",
             "spec": {the spec of the Application or Flux Kustomization on the cluster}}}
  change: replicas | image-tag | resources with field requests.cpu, requests.memory, limits.cpu or limits.memory |
          hpa with field minReplicas or maxReplicas | scaled-object with field minReplicaCount or maxReplicaCount
  Only workload.name and change are required. Labels and annotations of the live object lead to its entry and release.
An answer, one JSON object a line, in the order of the questions:
  {"id": "1", "outcome": "edit", "files": [{"path", "content", "before"}], "owners": [{"path", "field", "because"}],
   "warnings": [], "proof": {"kind": "rendered", "with"} or {"kind": "static", "because"}}
  {"id": "1", "outcome": "refused", "refusal": {"reason", "because", "fix"}}
  {"id": "1", "outcome": "error", "error"}
A file of questions ends with code 1 where a line is answered with an error: refusals are answers.
Nothing is written, and nothing is asked over the network.
`;

/** An answer as a line says it. */
export function lineOf(answer: Answer): LineAnswer {
  if (answer.kind === "refused") {
    const { reason, because, fix } = answer;
    return { outcome: "refused", refusal: { reason, because, fix } };
  }
  const files = answer.files.map(({ path, before, after }) => ({ path, content: after, before }));
  return {
    outcome: "edit",
    files,
    owners: [...answer.owners],
    warnings: [...answer.warnings],
    proof: { ...answer.effect.proof },
  };
}

/** An answer as a person reads it. */
export function inWords(question: string, answer: LineAnswer): string[] {
  if (answer.outcome === "error") return [question, `  not understood: ${answer.error}`];
  if (answer.refusal) {
    const { reason, because, fix } = answer.refusal;
    return [question, `  no change: ${because} (${reason})`, `  fix: ${fix}`];
  }
  const lines = [question];
  for (const { path, before, content } of answer.files ?? []) lines.push(...changedLines(path, before ?? "", content));
  for (const { because } of answer.owners ?? []) lines.push(`  why: ${because}`);
  for (const warning of answer.warnings ?? []) lines.push(`  warning: ${warning}`);
  const { proof } = answer;
  if (proof?.kind === "rendered") lines.push(`  proved: rendered before and after with ${proof.with}`);
  else if (proof) lines.push(`  not proved, a person must look: ${proof.because}`);
  return lines;
}

/** The lines of a file that differ, with the number of the first. */
function changedLines(path: string, before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  return [
    `  ${path}:${start + 1}`,
    ...old.slice(start, old.length - end).map((line) => `  - ${line.trimEnd()}`),
    ...now.slice(start, now.length - end).map((line) => `  + ${line.trimEnd()}`),
  ];
}
