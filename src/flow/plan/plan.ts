import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { isInShadow, modeSubject } from "../../domain/guardrails/mode.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { type Remediation, renderRemediation } from "../../domain/kubernetes/remediation.ts";
import type { Entry, FileEdit } from "../../domain/kubernetes/manifest-edit.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import { oneLine } from "../../domain/text/one-line.ts";
import { repositoryNamed } from "../../domain/text/repository-address.ts";
import { staleComments } from "../../manifests/edit/stale-comments.ts";
import { answerQuestion } from "../../manifests/locate/answer.ts";
import type { Ports } from "../../ports/ports.ts";
import type { Diagnosed } from "../diagnose/diagnose.ts";
import type { Planned } from "./planned.ts";
import { repetitionOf } from "./repetition.ts";
import { planReversal } from "./reversal.ts";
import { loadGuardrails } from "../collect/load-guardrails.ts";

export type { Plan, Planned } from "./planned.ts";

type Asked = Pick<Ports, "github" | "cluster" | "renderer" | "charts" | "telemetry">;

/** Diagnosis → one remediation of the closed list → the field that Git really owns → byte-exact edit, proved. */
export async function plan(
  incident: Incident,
  diagnosed: Diagnosed,
  ports: Asked & Pick<Ports, "changes" | "clock">,
  { hypothetical = false }: { readonly hypothetical?: boolean } = {},
): Promise<Planned> {
  const { remedy } = diagnosed;
  if (remedy.kind === "none") return { kind: "none", ending: "no-change", because: remedy.because };
  const planned = await planChange(incident, remedy.remediation, ports, { hypothetical });
  const because = planned.kind === "change" ? await repetitionOf(planned, ports) : undefined;
  return because === undefined ? planned : { kind: "none", ending: "escalated", because };
}

interface Deciding {
  readonly incident: Incident;
  readonly remediation: Remediation;
  readonly hypothetical: boolean;
}

/** Where none is named, what nobody will write is looked at where it is about: see the gate. */
function namespacesFor(guardrails: Guardrails, { incident, remediation, hypothetical }: Deciding): readonly string[] {
  const about = modeSubject(incident, remediation);
  const looksEverywhere = guardrails.namespaces.length === 0 && (hypothetical || isInShadow(guardrails, about));
  return looksEverywhere ? about.namespaces : guardrails.namespaces;
}

/**
 * The same for a change that is already decided: a revert, or a number that a person asked for. `hypothetical` = nobody will
 * write it, whatever the mode is.
 */
export async function planChange(
  incident: Incident,
  remediation: Remediation,
  ports: Asked,
  { hypothetical = false }: { readonly hypothetical?: boolean } = {},
): Promise<Planned> {
  const { sha, tree } = await ports.github.head();
  const guardrails = loadGuardrails(tree);
  if (!guardrails.ok) return refused(guardrails.because);
  const live = await ports.cluster.workload(remediation.workload);
  if (live === undefined) return refused(`${workloadKey(remediation.workload)} is not on the cluster`);
  const entry = await ports.cluster.entryOf(live);
  if (entry.elsewhere === true) return refused(readElsewhere(remediation.workload, entry));
  const { change } = remediation;
  if (change.kind === "commit") {
    const namespaces = namespacesFor(guardrails.value, { incident, remediation, hypothetical });
    const asked = { incident, live, entry, head: { sha, tree }, namespaces };
    return planReversal({ ...asked, remediation: { ...remediation, change } }, ports);
  }
  const question = { workload: live, change, entry };
  const edit = await answerQuestion(tree, question, (at, which) => ports.renderer.render(at, which), ports.charts);
  if (edit.kind === "refused") return refused(`${edit.because} (${edit.reason}). ${edit.fix}`);
  ports.telemetry.log(
    incident.uid,
    "plan",
    `${renderRemediation(remediation)} in ${edit.files.map((file) => `${file.path}:${firstChangedLine(file)}`).join(", ")}`,
  );
  const { files, owners, effect } = edit;
  const warnings = [...edit.warnings, ...staleComments(files)];
  return { kind: "change", remediation, live, entry, baseSha: sha, files, owners, warnings, effect };
}

/** The same path may be here as well, and what was changed there would reach nobody, or somebody else. */
function readElsewhere(workload: Workload, { object = "the controller", repository = "" }: Entry): string {
  const name = repositoryNamed(repository);
  const line = name === undefined ? "" : `: RECTIFY_REPOSITORY=…,${oneLine(name, longestName)}`;
  const source = oneLine(repository, longestName);
  return `${object} reads ${workloadKey(workload)} from ${source}, and this Rectify works on another repository. Where that is a mirror of ours, name it in RECTIFY_SOURCE_URLS; else list it as well${line}`;
}

const longestName = 200;

/** Counted from 1 in the file as it is now. */
function firstChangedLine({ before, after }: FileEdit): number {
  const [old, now] = [(before ?? "").split("\n"), after.split("\n")];
  const at = now.findIndex((line, index) => line !== old[index]);
  return (at === -1 ? 0 : at) + 1;
}

function refused(because: string): Planned {
  return { kind: "none", ending: "refused", because };
}
