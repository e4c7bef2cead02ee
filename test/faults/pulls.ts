import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { admitCandidates, type Candidate } from "../../src/domain/proposal/caps.ts";
import { renderDashboard } from "../../src/domain/proposal/dashboard.ts";
import { decisionFor } from "../../src/domain/proposal/decision.ts";
import { referencesOf } from "../../src/domain/incident/references.ts";
import type { Entry, ManifestEdit, WantedChange } from "../../src/domain/kubernetes/manifest-edit.ts";
import { renderBody, renderTitle } from "../../src/domain/proposal/proposal-text.ts";
import { branchOf } from "../../src/domain/proposal/wording.ts";
import { treeOf } from "../../src/domain/kubernetes/tree.ts";
import type { LiveWorkload } from "../../src/domain/kubernetes/workload.ts";
import { gate } from "../../src/flow/gate/gate.ts";
import { locate } from "../../src/manifests/locate/locate.ts";
import { render } from "../../src/manifests/render/render.ts";
import { parseYamlDocuments } from "../../src/manifests/yaml/yaml.ts";
import { aCase, aPlan, gatePorts } from "../plan.ts";
import { ci } from "../lab/forge-shop.ts";
import { inReview, type ReviewWorld, failing } from "./review-world.ts";
import type { FaultRow } from "./row.ts";
import { aProposalBody } from "./proposal-body.ts";

const approve = "/approve-scale";

/** §3.8 P: pull request and merge. */
export const pullRows: readonly FaultRow[] = [
  {
    id: "P01",
    what: "a base that moved in the same lines is planned anew, and never merged over",
    check: () =>
      inReview({}, async (world) => {
        await world.forge.push({ "apps/web.yaml": "replicas: 3\n" }, { message: "by hand", author: "ada" });
        // GitHub works out the mergeability after the first question.
        await world.session.host.look(world.proposal);
        const message = await world.says("ada", approve);
        equal((await world.decides([message, message]))?.kind, "replan");
        equal(world.mergeCalls(), 0);
      }),
  },
  {
    id: "P02",
    what: "a person's push makes the branch theirs: no merge, no second push, their commit stays",
    check: () =>
      inReview({}, async (world) => {
        const { branch } = world.proposal;
        const theirs = await world.forge.push({ "note.txt": "mine" }, { message: "mine", author: "wim", branch });
        equal(await world.decides([await world.says("ada", approve)]), undefined);
        await world.session.host.publish({ ...world.draft, effect: "another" }).catch(() => undefined);
        equal(world.mergeCalls(), 0);
        equal(await world.forge.headOf(branch), theirs);
      }),
  },
  {
    id: "P03",
    what: "a branch of that name with foreign content is left alone",
    check: () =>
      inReview({}, async (world) => {
        const branch = "rectify/shop-other";
        const theirs = await world.forge.push({ "x.txt": "x" }, { message: "x", author: "wim", branch });
        const incident = "7f1c2b1e-0000-5000-8000-000000000002";
        const body = `Incident-UID: \`${incident}\``;
        const proposal = await world.session.host.publish({ ...world.draft, branch, incident, effect: "e2", body });
        notEqual(proposal.branch, branch);
        equal(await world.forge.headOf(branch), theirs);
      }),
  },
  {
    id: "P04",
    what: "what a person closed is not opened again for the same effect",
    check: () =>
      inReview({}, async (world) => {
        await world.forge.closeBy("ada", world.proposal.number);
        equal((await world.decides([{ kind: "pull-request" }]))?.kind, "close");
        const before = world.forge.pulls().length;
        await world.session.host.publish(world.draft).catch(() => undefined);
        equal(world.forge.pulls().length, before);
        equal(world.forge.pulls().filter((pull) => pull.state === "open").length, 0);
      }),
  },
  {
    id: "P05",
    what: "a push between the last check and the merge is refused by the sha",
    check: () =>
      inReview({}, async (world) => {
        const { branch } = world.proposal;
        await world.forge.push({ "apps/web.yaml": "replicas: 50\n" }, { message: "more", author: "wim", branch });
        const answer = await world.session.host.merge(world.proposal);
        equal(answer.kind, "moved");
        equal(await world.isMerged(), false);
      }),
  },
  ...(["neutral", "skipped"] as const).flatMap((conclusion): FaultRow[] => {
    const reported = (world: ReviewWorld) =>
      world.forge.reportCheck({ sha: world.proposal.headSha, name: "ci", appId: ci, conclusion });
    return [
      {
        id: "P06",
        what: `a required check that is ${conclusion} lets nothing auto-merge`,
        check: () =>
          inReview({ green: false }, async (world) => {
            await reported(world);
            equal(await world.decides([], { pending: { selfMergeLacks: [] } }), undefined);
            equal(world.mergeCalls(), 0);
          }),
      },
      {
        id: "P06",
        what: `a required check that is ${conclusion} counts as GitHub counts it where a person approved`,
        check: () =>
          inReview({ green: false }, async (world) => {
            await reported(world);
            await world.decides([await world.says("ada", approve)]);
            equal(await world.isMerged(), true);
          }),
      },
    ];
  }),
  ...(["failure", "cancelled", "timed_out", undefined] as const).map(
    (conclusion): FaultRow => ({
      id: "P06",
      what: `a required check that is ${conclusion ?? "still running"} lets nothing merge`,
      check: () =>
        inReview({ green: false }, async (world) => {
          const check = { sha: world.proposal.headSha, name: "ci", appId: ci };
          await world.forge.reportCheck(conclusion === undefined ? check : { ...check, conclusion });
          equal(await world.decides([await world.says("ada", approve)]), undefined);
          equal(world.mergeCalls(), 0);
        }),
    }),
  ),
  {
    id: "P06",
    what: "a required check that is missing, or that another App reports, lets nothing merge",
    check: () =>
      inReview({ green: false }, async (world) => {
        const message = await world.says("ada", approve);
        equal(await world.decides([message]), undefined);
        const { headSha: sha } = world.proposal;
        await world.forge.reportCheck({ sha, name: "ci", appId: ci + 1, conclusion: "success" });
        equal(await world.decides([message]), undefined);
        equal(world.mergeCalls(), 0);
      }),
  },
  {
    id: "P06",
    what: "a green check that runs again lets nothing merge",
    check: () =>
      inReview({}, async (world) => {
        await world.forge.reportCheck({ sha: world.proposal.headSha, name: "ci", appId: ci });
        equal(await world.decides([await world.says("ada", approve)]), undefined);
        equal(world.mergeCalls(), 0);
      }),
  },
  ...[405, 422].map(
    (status): FaultRow => ({
      id: "P07",
      what: `a merge that GitHub refuses with ${status} waits, and is asked again once in 15 minutes at most`,
      check: () =>
        inReview({}, async (world) => {
          await world.says("ada", approve);
          world.forge.faults = failing("PUT", /merge$/, { when: "before", answer: { status } });
          // The waits double from 15 seconds to 5 minutes: six of them are 12:45, seven 17:45.
          equal(await world.decides([], { quietLooks: 6 }), undefined);
          equal(world.mergeCalls(), 1);
          equal(await world.decides([], { quietLooks: 7 }), undefined);
          equal(world.mergeCalls(), 3);
          equal(await world.isMerged(), false);
        }),
    }),
  ),
  {
    id: "P07",
    what: "a merge that lost a race on the base is asked again at the next look",
    check: () =>
      inReview({}, async (world) => {
        await world.says("ada", approve);
        const answer = { status: 405, message: "Base branch was modified. Review and try the merge again." };
        let tries = 0;
        world.forge.faults = ({ method, path }) => {
          if (method !== "PUT" || !path.endsWith("/merge")) return undefined;
          tries += 1;
          return tries === 1 ? { when: "before", answer } : undefined;
        };
        await world.decides([], { quietLooks: 2 });
        equal(tries, 2);
        equal(await world.isMerged(), true);
      }),
  },
  {
    id: "P08",
    what: "a proposal that would be too long is cut at a section border",
    check: () => {
      const proposal = aProposalBody();
      const changes = Array.from({ length: 3000 }, (_, index) => ({
        object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: `w${index}` },
        field: ["spec", "replicas"],
        from: 2,
        to: 4,
      }));
      const body = renderBody({ ...proposal, effect: { ...proposal.effect, changes } });
      ok(body.length <= 65_536, `${body.length} characters`);
      match(body, /^- \*\*Hurts:\*\* /);
      equal((body.match(/```/g) ?? []).length % 2, 0);
      ok(!body.includes("w2999") && body.includes("Incident-UID"));
    },
  },
  {
    id: "P09",
    what: "bytes outside the edited value stay as they are, whatever the style of the file",
    check: editsAreExact,
  },
  {
    id: "P10",
    what: "a manifest among the workflows or policies is refused, even where a kustomization reaches it",
    check: async () => {
      const tree = treeOf({
        "apps/web/kustomization.yaml": "resources:\n  - ../../.github/workflows\n",
        ".github/workflows/kustomization.yaml": "resources:\n  - release.yml\n",
        ".github/workflows/release.yml": deployment("web", 2),
      });
      const edit = locate(tree, { workload: live, change: toFive, entry: { tool: "kustomize", path: "apps/web" } });
      if (edit.kind === "refused") return;
      const answer = await gate(aCase(), aPlan(5, { files: edit.files }), gatePorts({}));
      equal(answer.kind, "refused");
    },
  },
  ...["../../../outside", "/etc", "https://example.com/base?ref=main", "git@example.com:o/r.git"].map(
    (resource): FaultRow => ({
      id: "P10",
      what: `a kustomization that points to ${resource} is refused, not followed`,
      check: () => {
        const tree = treeOf({
          "apps/web/kustomization.yaml": `resources:\n  - ${resource}\n`,
          ".github/workflows/release.yml": deployment("web", 2),
        });
        const entry: Entry = { tool: "kustomize", path: "apps/web" };
        equal(render(tree, entry).kind, "unsupported");
        equal(locate(tree, { workload: live, change: toFive, entry }).kind, "refused");
      },
    }),
  ),
  ...["../outside", "/etc/passwd", "apps/../../x"].map(
    (path): FaultRow => ({
      id: "P10",
      what: `an entry at ${path} gives no edit`,
      check: () => {
        const tree = treeOf({ "apps/web.yaml": deployment("web", 2) });
        const edit = locate(tree, { workload: live, change: toFive, entry: { tool: "plain", path } });
        equal(edit.kind, "refused");
      },
    }),
  ),
  {
    id: "P10",
    what: "a template is refused",
    check: () => {
      const text = deployment("web", 2).replace("replicas: 2", "replicas: {{ .Values.replicas }}");
      equal(edited(text).kind, "refused");
    },
  },
  ...["--output=x", "-f", "a..b/../c", "refs/heads/x", "a".repeat(300), "web;rm -rf", "web\n--force", ""].map(
    (name): FaultRow => ({
      id: "P11",
      what: `an alert that names ${JSON.stringify(name.slice(0, 20))} becomes no workload, branch or argument`,
      check: () => {
        for (const labels of [
          { namespace: "shop", deployment: name },
          { namespace: name, deployment: "web" },
        ]) {
          equal(referencesOf(labels).kind, "none");
        }
      },
    }),
  ),
  {
    id: "P11",
    what: "every name that Kubernetes could hold makes a branch that git accepts",
    check: () => {
      const name = fc.stringMatching(/^[a-z0-9][-a-z0-9.]{0,30}$/);
      fc.assert(
        fc.property(name, name, (namespace, deployment) => {
          const read = referencesOf({ namespace, deployment });
          const [reference] = read.kind === "some" ? read.references : [];
          if (reference?.kind !== "workload") return;
          const branch = branchOf(reference.workload, "default", { branchPrefix: "rectify/" });
          ok(!/\.\.|\.lock$|\.$|\/\.|\/\/|[~^:?*[\\\s]|@\{|^-/.test(branch), branch);
        }),
      );
    },
  },
  {
    id: "P12",
    what: "replicas that an HPA owns are not edited",
    check: () => {
      const hpa =
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web, namespace: shop}\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n  minReplicas: 1\n  maxReplicas: 4\n";
      const edit = edited(`${deployment("web", 2)}---\n${hpa}`);
      deepEqual([edit.kind, edit.kind === "refused" && edit.reason], ["refused", "hpa-managed"]);
    },
  },
  {
    id: "P12",
    what: "replicas that KEDA owns are not edited",
    check: () => {
      const scaled =
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: web, namespace: shop}\nspec:\n  scaleTargetRef: {name: web}\n  maxReplicaCount: 4\n";
      const edit = edited(`${deployment("web", 2)}---\n${scaled}`);
      deepEqual([edit.kind, edit.kind === "refused" && edit.reason], ["refused", "keda-managed"]);
    },
  },
  {
    id: "P12",
    what: "a patch that sets the replicas is where they are edited, and the chain of owners says so",
    check: () => {
      const tree = treeOf({
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": deployment("web", 1),
        "prod/kustomization.yaml": "resources: [../base]\npatches:\n  - path: web.yaml\n",
        "prod/web.yaml":
          "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: 2\n",
      });
      const edit = locate(tree, { workload: live, change: toFive, entry: { tool: "kustomize", path: "prod" } });
      ok(edit.kind === "edit");
      deepEqual(
        edit.files.map((file) => file.path),
        ["prod/web.yaml"],
      );
      ok(edit.owners.length > 0);
    },
  },
  {
    id: "P13",
    what: "at the cap the rest is listed, and the worst moves up when a slot is free",
    check: capsHold,
  },
  {
    id: "P13",
    what: "a decision without a required check on the branch is never auto-merged",
    check: () => {
      const decision = decisionFor({
        effect: "e",
        headSha: "s",
        branch: "rectify/shop-web",
        proposal: { state: "open", headSha: "s", mergedSha: undefined, requiredChecks: [], conflicting: false, place },
        standing: { approvals: [], rejectedBy: undefined, held: false, refusal: "" },
        alertFiring: true,
        selfMergeLacks: ["the branch requires no check"],
        approvalsNeeded: 1,
        stopped: undefined,
        overdue: false,
      });
      equal(decision.kind, "wait");
      ok(renderTitle(aProposalBody()).length <= 200);
    },
  },
];

const place = { base: "main", branch: "rectify/shop-web", draft: false, defaultBranch: "main" };
const live: LiveWorkload = { kind: "Deployment", namespace: "shop", name: "web", replicas: 2 };
const toFive: WantedChange = { kind: "replicas", to: 5 };

function deployment(name: string, replicas: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: shop
spec:
  replicas: ${replicas} # by hand
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: ${name}
          image: registry.example/${name}:1.0.0
`;
}

function edited(text: string): ManifestEdit {
  const tree = treeOf({ "apps/web.yaml": text });
  return locate(tree, { workload: live, change: toFive, entry: { tool: "plain", path: "apps" } });
}

/** Styles of files as people write them; each must give an exact edit or a refusal with its reason. */
function editsAreExact(): void {
  const styles = fc.record({
    crlf: fc.boolean(),
    bom: fc.boolean(),
    comment: fc.boolean(),
    noFinalNewline: fc.boolean(),
    neighbour: fc.constantFrom("before", "after", "none"),
    deep: fc.boolean(),
    quoted: fc.boolean(),
  });
  let edits = 0;
  fc.assert(
    fc.property(styles, (style) => {
      const text = styled(style);
      const edit = edited(text);
      if (edit.kind === "refused") {
        ok(edit.because.length > 0);
        return;
      }
      edits += 1;
      equal(edit.files.length, 1);
      const after = edit.files[0]?.after ?? "";
      equal(
        after.replace(/replicas: (['"]?)5\1/, (_all, quote: string) => `replicas: ${quote}2${quote}`),
        text,
      );
      const objects = parseYamlDocuments(after.replace(/^\uFEFF/, ""));
      ok(objects.ok);
    }),
    { numRuns: 200 },
  );
  ok(edits > 50, `only ${edits} edits of 200`);
}

interface Style {
  readonly crlf: boolean;
  readonly bom: boolean;
  readonly comment: boolean;
  readonly noFinalNewline: boolean;
  readonly neighbour: string;
  readonly deep: boolean;
  readonly quoted: boolean;
}

function styled(style: Style): string {
  let text = deployment("web", 2);
  if (!style.comment) text = text.replace(" # by hand", "");
  if (style.deep) text = text.replace(/^( +)/gm, "$1$1");
  if (style.quoted) text = text.replace("registry.example/web:1.0.0", "'registry.example/web:1.0.0'");
  if (style.neighbour === "before") text = `${deployment("other", 3)}---\n${text}`;
  if (style.neighbour === "after") text = `${text}---\n${deployment("other", 3)}`;
  if (style.noFinalNewline) text = text.trimEnd();
  if (style.crlf) text = text.replaceAll("\n", "\r\n");
  return style.bom ? `\uFEFF${text}` : text;
}

function capsHold(): void {
  const now = new Date("2026-11-24T03:00:00Z");
  const limits = { maxOpenPulls: 5, maxPullsPerHour: 10, exemptSeverities: [] };
  const candidates = Array.from(
    { length: 40 },
    (_, index): Candidate => ({
      incident: `5b0c1f4e-9a3d-5c7e-8f21-${String(index).padStart(12, "0")}`,
      workload: { kind: "Deployment", namespace: "shop", name: `w${index}` },
      alert: "HighRequestLatency",
      severity: index === 39 ? "critical" : "warning",
      startedAt: "2026-11-24T02:00:00Z",
      summary: "scale",
    }),
  );
  const crowd = { open: [], openedAt: [], ticked: [], now };
  const admitted = admitCandidates(candidates, crowd, limits);
  equal(admitted.open.length, 5);
  equal(admitted.open[0]?.workload.name, "w39");
  const body = renderDashboard({ open: [], listed: admitted.listed, leases: [], problems: [], now });
  for (const { candidate } of admitted.listed) ok(body.includes(candidate.incident), candidate.incident);
  const open = admitted.open.slice(1).map((candidate) => candidate.workload);
  const next = admitCandidates(
    admitted.listed.map((item) => item.candidate),
    { ...crowd, open },
    limits,
  );
  equal(next.open.length, 1);
}
