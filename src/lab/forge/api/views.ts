import type { components } from "@octokit/openapi-types";
import type {
  Account,
  CheckRecord,
  CommentRecord,
  IssueRecord,
  PullRecord,
  ReviewRecord,
  ForgeState,
} from "../world.ts";

type Schemas = components["schemas"];

/** A subset of what GitHub documents: no other field, no other type. */
export type Part<T> = T extends readonly (infer E)[]
  ? Part<E>[]
  : T extends object
    ? { [K in keyof T]?: Part<T[K]> }
    : T;

export function accountView(world: ForgeState, account: Account) {
  return {
    login: account.login,
    id: account.id,
    node_id: `U_${account.id}`,
    avatar_url: `${world.origin}/avatars/${account.id}`,
    url: `${world.origin}/api/v3/users/${encodeURIComponent(account.login)}`,
    html_url: `${world.origin}/${account.type === "Bot" ? `apps/${account.login.replace("[bot]", "")}` : account.login}`,
    type: account.type,
    site_admin: false,
  } satisfies Part<Schemas["simple-user"]>;
}

/** The address of this repository in the API. */
export function apiOf(world: ForgeState): string {
  return `${world.origin}/api/v3/repos/${world.options.owner}/${world.options.repo}`;
}

/** The address of this repository for people. */
export function pageOf(world: ForgeState): string {
  return `${world.origin}/${world.options.owner}/${world.options.repo}`;
}

export function repositoryView(world: ForgeState) {
  const { owner, repo } = world.options;
  const { settings } = world;
  const methods = {
    allow_squash_merge: settings.mergeMethods.includes("squash"),
    allow_merge_commit: settings.mergeMethods.includes("merge"),
    allow_rebase_merge: settings.mergeMethods.includes("rebase"),
  };
  return {
    id: world.owner.id + 1,
    node_id: `R_${world.owner.id + 1}`,
    name: repo,
    full_name: `${owner}/${repo}`,
    owner: accountView(world, world.owner),
    private: settings.private,
    visibility: settings.private ? "private" : "public",
    html_url: pageOf(world),
    url: apiOf(world),
    clone_url: `${pageOf(world)}.git`,
    description: null,
    fork: settings.fork,
    has_issues: settings.hasIssues,
    archived: settings.archived,
    disabled: false,
    default_branch: settings.defaultBranch,
    ...(settings.showsMethods ? methods : {}),
    delete_branch_on_merge: false,
    created_at: world.createdAt,
    updated_at: world.createdAt,
    pushed_at: world.createdAt,
  } satisfies Part<Schemas["full-repository"]>;
}

export function appView(world: ForgeState, id: number, slug: string) {
  return {
    id,
    slug,
    node_id: `A_${id}`,
    name: slug,
    owner: accountView(world, world.owner),
    description: null,
    external_url: world.origin,
    html_url: `${world.origin}/apps/${slug}`,
    created_at: world.createdAt,
    updated_at: world.createdAt,
    permissions: world.settings.manifest?.default_permissions ?? appPermissions,
    events: [...(world.settings.manifest?.default_events ?? appEvents)],
  } satisfies Part<Schemas["integration"]>;
}

const appPermissions = {
  checks: "write",
  statuses: "read",
  contents: "write",
  issues: "write",
  metadata: "read",
  pull_requests: "write",
};
const appEvents = ["check_run", "issue_comment", "issues", "pull_request", "push"];

export function installationView(world: ForgeState) {
  const { app } = world.options;
  return {
    id: world.installationId,
    account: accountView(world, world.owner),
    repository_selection: "selected" as const,
    access_tokens_url: `${world.origin}/api/v3/app/installations/${world.installationId}/access_tokens`,
    repositories_url: `${world.origin}/api/v3/installation/repositories`,
    html_url: `${world.origin}/settings/installations/${world.installationId}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: world.owner.id,
    target_type: world.owner.type,
    permissions: grantedTo(world),
    events: [...(world.settings.manifest?.default_events ?? appEvents)],
    single_file_name: null,
    suspended_by: null,
    suspended_at: null,
    created_at: world.createdAt,
    updated_at: world.createdAt,
  } satisfies Part<Schemas["installation"]>;
}

function grantedTo({ options, settings }: ForgeState) {
  const given = settings.readOnly ? ("read" as const) : ("write" as const);
  return {
    ...{ checks: given, statuses: "read" as const, contents: given, issues: given, metadata: "read" as const },
    pull_requests: given,
    ...(settings.manifest?.default_permissions ?? options.app.permissions),
  };
}

export function labelViews(world: ForgeState, names: readonly string[]) {
  return names.map((name) => ({
    id: world.labels.get(name) ?? 0,
    node_id: `LA_${world.labels.get(name) ?? 0}`,
    url: `${apiOf(world)}/labels/${encodeURIComponent(name)}`,
    name,
    color: "ededed",
    default: false,
  })) satisfies Part<Schemas["label"]>[];
}

export function commentView(world: ForgeState, comment: CommentRecord) {
  const kind = world.issues.get(comment.issue)?.pull ? "pull" : "issues";
  return {
    id: comment.id,
    node_id: `IC_${comment.id}`,
    url: `${apiOf(world)}/issues/comments/${comment.id}`,
    html_url: `${pageOf(world)}/${kind}/${comment.issue}#issuecomment-${comment.id}`,
    issue_url: `${apiOf(world)}/issues/${comment.issue}`,
    body: comment.body,
    user: accountView(world, comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: associationOf(world, comment.author),
    performed_via_github_app: viaApp(world, comment.author),
  } satisfies Part<Schemas["issue-comment"]>;
}

function viaApp(world: ForgeState, author: Account) {
  return author === world.bot ? appView(world, world.options.app.id, world.options.app.slug) : null;
}

function associationOf(world: ForgeState, author: Account) {
  if (author.login === world.options.owner) return "OWNER" as const;
  if (author.type === "Bot") return "CONTRIBUTOR" as const;
  const known = world.options.people.some((one) => one.login === author.login && one.permission !== "none");
  return known ? ("COLLABORATOR" as const) : ("NONE" as const);
}

export function issueView(world: ForgeState, issue: IssueRecord) {
  const kind = issue.pull ? "pull" : "issues";
  const page = `${pageOf(world)}/${kind}/${issue.number}`;
  const pull = `${apiOf(world)}/pulls/${issue.number}`;
  return {
    id: issue.id,
    node_id: `I_${issue.id}`,
    number: issue.number,
    url: `${apiOf(world)}/issues/${issue.number}`,
    repository_url: apiOf(world),
    html_url: page,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    user: accountView(world, issue.author),
    labels: labelViews(world, issue.labels),
    locked: false,
    assignees: [],
    comments: [...world.comments.values()].filter((comment) => comment.issue === issue.number).length,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    author_association: associationOf(world, issue.author),
    performed_via_github_app: viaApp(world, issue.author),
    ...(issue.pull
      ? {
          pull_request: {
            url: pull,
            html_url: page,
            diff_url: `${page}.diff`,
            patch_url: `${page}.patch`,
            merged_at: issue.pull.mergedAt,
          },
        }
      : {}),
  } satisfies Part<Schemas["issue"]>;
}

/** A pull request as it stands in a list. */
export function pullView(world: ForgeState, issue: IssueRecord, pull: PullRecord) {
  const { owner } = world.options;
  const side = (ref: string, sha: string) => ({
    label: `${owner}:${ref}`,
    ref,
    sha,
    user: accountView(world, world.owner),
    repo: repositoryView(world),
  });
  const page = `${pageOf(world)}/pull/${issue.number}`;
  return {
    id: pull.id,
    node_id: `PR_${pull.id}`,
    number: issue.number,
    url: `${apiOf(world)}/pulls/${issue.number}`,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: `${apiOf(world)}/issues/${issue.number}`,
    state: issue.state,
    locked: false,
    title: issue.title,
    body: issue.body,
    user: accountView(world, issue.author),
    labels: labelViews(world, issue.labels),
    draft: pull.draft,
    head: side(pull.headRef, pull.headSha),
    base: side(pull.baseRef, pull.baseSha),
    merge_commit_sha: pull.mergeSha,
    merged_at: pull.mergedAt,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    author_association: associationOf(world, issue.author),
    auto_merge: null,
  } satisfies Part<Schemas["pull-request-simple"]>;
}

export function reviewView(world: ForgeState, issue: number, review: ReviewRecord) {
  return {
    id: review.id,
    node_id: `PRR_${review.id}`,
    user: accountView(world, review.author),
    body: review.body,
    state: review.state,
    html_url: `${pageOf(world)}/pull/${issue}#pullrequestreview-${review.id}`,
    pull_request_url: `${apiOf(world)}/pulls/${issue}`,
    submitted_at: review.submittedAt,
    commit_id: review.commit,
    author_association: associationOf(world, review.author),
  } satisfies Part<Schemas["pull-request-review"]>;
}

export function checkView(world: ForgeState, check: CheckRecord) {
  const pulls = [...world.issues.values()].filter(
    (issue) => issue.state === "open" && issue.pull?.headSha === check.sha,
  );
  return {
    id: check.id,
    node_id: `CR_${check.id}`,
    name: check.name,
    head_sha: check.sha,
    external_id: check.externalId,
    url: `${apiOf(world)}/check-runs/${check.id}`,
    html_url: `${pageOf(world)}/runs/${check.id}`,
    details_url: null,
    status: check.status,
    conclusion: check.conclusion,
    started_at: check.startedAt,
    completed_at: check.completedAt,
    output: {
      ...check.output,
      annotations_count: check.annotations.length,
      annotations_url: `${apiOf(world)}/check-runs/${check.id}/annotations`,
    },
    check_suite: { id: check.suite },
    app: appView(world, check.appId, check.appSlug),
    pull_requests: pulls.map((issue) => ({
      id: issue.pull?.id ?? 0,
      number: issue.number,
      url: `${apiOf(world)}/pulls/${issue.number}`,
    })),
  } satisfies Part<Schemas["check-run"]>;
}
