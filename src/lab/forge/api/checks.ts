import type { Call, Routes } from "../http.ts";
import { Problem, created, invalid, notFound, ok, paged, requiredText, textOf } from "../http.ts";
import type { components } from "@octokit/openapi-types";
import type { Account, CheckRecord, Conclusion, StatusRecord, ForgeState } from "../world.ts";
import { accountView, apiOf, checkView, type Part } from "./views.ts";

const conclusions = ["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"];
const statuses = ["queued", "in_progress", "completed"];

/** Check Runs on commits. */
export function checkRoutes(world: ForgeState): Routes {
  const at = "/repos/{owner}/{repo}";
  return {
    [`POST ${at}/check-runs`]: async (call) => {
      const sha = requiredText(call, "head_sha", "CheckRun");
      if ((await world.store.resolve(sha)) !== sha) throw new Problem(422, `No commit found for SHA: ${sha}`);
      const about = {
        name: requiredText(call, "name", "CheckRun"),
        sha,
        appId: world.options.app.id,
        appSlug: world.options.app.slug,
      };
      const check = addCheck(world, about, changesOf(call), world.bot);
      return created(checkView(world, check));
    },
    [`GET ${at}/check-runs/{id}`]: (call) => ok(checkView(world, checkOf(world, call))),
    [`PATCH ${at}/check-runs/{id}`]: (call) => {
      const check = checkOf(world, call);
      if (check.appId !== world.options.app.id) throw new Problem(403, "Invalid app_id `check_run` mismatch");
      change(world, check, changesOf(call));
      emitCheck(world, check, world.bot);
      return ok(checkView(world, check));
    },
    [`GET ${at}/commits/{ref}/check-runs`]: async (call) => {
      const checks = await listChecks(world, call);
      return paged(
        call,
        checks.map((check) => checkView(world, check)),
        (check_runs) => ({ total_count: checks.length, check_runs }),
      );
    },
    [`GET ${at}/commits/{ref}/status`]: async (call) => {
      const sha = await commitOf(world, call.params.ref ?? "");
      const latest = latestStatuses(world, sha);
      return ok({ state: combined(latest), statuses: latest, sha, total_count: latest.length });
    },
    [`GET ${at}/commits/{ref}/statuses`]: async (call) => {
      const sha = await commitOf(world, call.params.ref ?? "");
      const there = world.statuses.filter((one) => one.sha === sha).reverse();
      return paged(
        call,
        there.map((status) => statusView(world, status)),
      );
    },
  };
}

/** The newest of each context. */
export function latestStatuses(world: ForgeState, sha: string): StatusRecord[] {
  const there = world.statuses.filter((one) => one.sha === sha);
  return [...new Map(there.map((one) => [one.context, one])).values()];
}

function combined(statuses: readonly StatusRecord[]): "failure" | "pending" | "success" {
  if (statuses.some(({ state }) => state === "failure" || state === "error")) return "failure";
  return statuses.length === 0 || statuses.some(({ state }) => state === "pending") ? "pending" : "success";
}

export function addStatus(
  world: ForgeState,
  about: Pick<StatusRecord, "sha" | "context" | "state">,
  setBy: Account,
): StatusRecord {
  const creator: Account = setBy.login.endsWith("[bot]") ? { ...setBy, type: "Bot" } : setBy;
  const status = { id: world.nextId(), ...about, creator, createdAt: world.now() };
  world.statuses.push(status);
  const { id, sha, context, state } = status;
  world.emit("status", { id, sha, context, state, description: null, target_url: null, branches: [] }, setBy);
  return status;
}

function statusView(world: ForgeState, { id, sha, context, state, creator, createdAt }: StatusRecord) {
  return {
    ...{ id, node_id: `S_${id}`, context, state, description: null, target_url: null, avatar_url: null },
    url: `${apiOf(world)}/statuses/${sha}`,
    creator: accountView(world, creator),
    ...{ created_at: createdAt, updated_at: createdAt },
  } satisfies Part<components["schemas"]["status"]>;
}

async function commitOf(world: ForgeState, ref: string): Promise<string> {
  const short = ref.replace(/^heads\//, "");
  const sha = (await world.store.resolve(`refs/heads/${short}`)) ?? (await world.store.resolve(ref));
  if (sha === undefined) throw new Problem(422, `No commit found for SHA: ${ref}`);
  return sha;
}

function checkOf(world: ForgeState, call: Call): CheckRecord {
  const check = world.checks.find((one) => one.id === Number(call.params.id));
  if (!check) throw notFound();
  return check;
}

async function listChecks(world: ForgeState, call: Call): Promise<CheckRecord[]> {
  const sha = await commitOf(world, call.params.ref ?? "");
  const { query } = call;
  const matches = (name: string, value: string) => query.get(name) === null || query.get(name) === value;
  const there = world.checks
    .filter((one) => one.sha === sha)
    .filter(
      (one) => matches("check_name", one.name) && matches("status", one.status) && matches("app_id", String(one.appId)),
    );
  if (query.get("filter") === "all") return there.reverse();
  // "latest", the default: of several runs with one name from one App only the newest.
  const latest = new Map(there.map((one) => [`${one.appId} ${one.name}`, one]));
  return [...latest.values()].reverse();
}

type Changes = Partial<Pick<CheckRecord, "name" | "status" | "conclusion" | "externalId" | "output" | "annotations">>;

function changesOf(call: Call): Changes {
  const status = textOf(call, "status", "CheckRun");
  const conclusion = textOf(call, "conclusion", "CheckRun");
  const name = textOf(call, "name", "CheckRun");
  const externalId = textOf(call, "external_id", "CheckRun");
  if (status !== undefined && !statuses.includes(status)) throw invalid("CheckRun", "status", { code: "invalid" });
  if (conclusion !== undefined && !conclusions.includes(conclusion)) {
    throw invalid("CheckRun", "conclusion", { code: "invalid" });
  }
  if (status === "completed" && conclusion === undefined) {
    throw invalid("CheckRun", "conclusion", { code: "missing_field" });
  }
  const output = outputOf(call.body.output);
  return {
    ...(name === undefined ? {} : { name }),
    ...(conclusion === undefined ? {} : { conclusion: conclusion as Conclusion, status: "completed" as const }),
    ...(status === undefined || conclusion !== undefined ? {} : { status: status as CheckRecord["status"] }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(output === undefined ? {} : { output, annotations: annotationsOf(call.body.output) }),
  };
}

function outputOf(given: unknown): CheckRecord["output"] | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const { title, summary, text } = given as Record<string, unknown>;
  if (typeof title !== "string" || typeof summary !== "string") {
    throw invalid("CheckRun", "output", { code: "missing_field" });
  }
  if (summary.length > 65_535) throw invalid("CheckRun", "summary", { code: "custom", message: "summary is too long" });
  return { title, summary, text: typeof text === "string" ? text : null };
}

function annotationsOf(given: unknown): readonly unknown[] {
  const { annotations = [] } = given as { annotations?: unknown };
  if (!Array.isArray(annotations) || annotations.length > 50)
    throw invalid("CheckRun", "annotations", { code: "invalid" });
  const isWhole = (one: Record<string, unknown>) =>
    ["path", "start_line", "end_line", "annotation_level", "message"].every((field) => one[field] !== undefined);
  if (!annotations.every(isWhole)) throw invalid("CheckRun", "annotations", { code: "missing_field" });
  return annotations;
}

export function addCheck(
  world: ForgeState,
  about: Pick<CheckRecord, "name" | "sha" | "appId" | "appSlug">,
  changes: Changes,
  sender: Account,
): CheckRecord {
  const check: CheckRecord = {
    ...{ id: world.nextId(), suite: world.nextId(), ...about, status: "queued", conclusion: null, externalId: "" },
    ...{ startedAt: world.now(), completedAt: null, output: { title: null, summary: null, text: null } },
    annotations: [],
  };
  change(world, check, changes);
  world.checks.push(check);
  emitCheck(world, check, sender);
  return check;
}

function change(world: ForgeState, check: CheckRecord, changes: Changes): void {
  Object.assign(check, changes);
  if (check.status !== "completed") check.conclusion = null;
  check.completedAt = check.status === "completed" ? world.now() : null;
}

function emitCheck(world: ForgeState, check: CheckRecord, sender: Account): void {
  const action = check.status === "completed" ? "completed" : "created";
  world.emit("check_run", { action, check_run: checkView(world, check) }, sender);
}
