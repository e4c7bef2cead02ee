import { connectGitHub, type RepositoryAbout } from "../../adapters/github/github.ts";
import { branchProtection, type WantedCheck } from "../../adapters/github/checks.ts";
import { bad, failed, type DoctorFinding, good, skipped, warning } from "./finding.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { Settings } from "../../settings/settings.ts";

type Client = Awaited<ReturnType<typeof connectGitHub>>;

export interface GitHubFindings {
  readonly findings: readonly DoctorFinding[];
  /** Undefined when the App cannot connect. */
  readonly client: Client | undefined;
  /** The checks that the protection of the default branch requires; undefined when nobody could look. */
  readonly protectedBy: readonly WantedCheck[] | undefined;
}

/** What app.yml asks for, without which a step of the line fails. */
const neededPermissions: Readonly<Record<string, "read" | "write">> = {
  contents: "write",
  pull_requests: "write",
  issues: "write",
  checks: "write",
  statuses: "read",
  metadata: "read",
};
const neededEvents = ["issue_comment", "pull_request", "check_run"];
// A JWT is refused when it seems to come from the future, and lives ten minutes.
const mostSkewMs = 30_000;

export async function examineGitHub(settings: Settings, clock: Clock): Promise<GitHubFindings> {
  const skew = await examineClock(settings, clock);
  try {
    const { repository, app, github } = settings;
    const client = await connectGitHub({ ...github, repository, app, audit: async () => undefined });
    const [about, permissions, events, webhooks, protection] = await Promise.all([
      client.about(),
      examinePermissions(client),
      examineEvents(client),
      examineWebhooks(client),
      examineProtection(client),
    ]);
    const connected = `connected as ${client.login} to ${repository.owner}/${repository.repo}`;
    return {
      findings: [
        ...[skew, good("github app", connected), ...repositoryFindings(about)],
        ...[...permissions, events, webhooks, protection.finding],
      ],
      client,
      protectedBy: protection.checks,
    };
  } catch (error) {
    const fix =
      "install the App on the repository, and see that APP_ID, PRIVATE_KEY and GITHUB_API_URL belong together";
    return { findings: [skew, failed("github app", fix)(error)], client: undefined, protectedBy: undefined };
  }
}

/** What people may switch in the settings of the repository, as far as it is in our way. */
function repositoryFindings({ unfit, hasIssues, isFork }: RepositoryAbout): readonly DoctorFinding[] {
  const point = "repository";
  const cut = unfit?.indexOf(": ") ?? -1;
  return [
    ...(unfit === undefined ? [] : [bad(point, unfit.slice(0, cut), unfit.slice(cut + 2))]),
    ...(hasIssues
      ? []
      : [
          warning(
            point,
            "issues are switched off: there is no dashboard, and nobody is told what waits",
            "switch issues on in the settings of the repository (General, Features)",
          ),
        ]),
    ...(isFork
      ? [
          warning(
            point,
            "it is a fork: pull requests are opened in it, and not in the repository that it was forked from",
            "see that your GitOps controller applies this one; otherwise name the other one in RECTIFY_REPOSITORY",
          ),
        ]
      : []),
  ];
}

/** GitHub's clock against ours, by the `Date` of an answer. */
async function examineClock({ github }: Settings, clock: Clock): Promise<DoctorFinding> {
  const before = clock.now().getTime();
  const answer = await fetch(`${github.apiUrl}/meta`, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  await answer?.body?.cancel();
  const theirs = Date.parse(answer?.headers.get("date") ?? "");
  if (Number.isNaN(theirs)) return skipped("clock", "GitHub did not say what time it is");
  // The header has whole seconds.
  const skewMs = (before + clock.now().getTime()) / 2 - (theirs + 500);
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return Math.abs(skewMs) <= mostSkewMs
    ? good("clock", "our clock agrees with GitHub's")
    : bad(
        "clock",
        `our clock is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} GitHub's`,
        "synchronise the clock of this machine (NTP): GitHub refuses tokens from another time",
      );
}

async function examinePermissions({ octokit }: Client): Promise<readonly DoctorFinding[]> {
  const { permissions } = (await octokit.auth({ type: "installation" })) as {
    permissions: Readonly<Record<string, string>>;
  };
  const missing = Object.entries(neededPermissions).filter(
    ([name, wanted]) => permissions[name] !== wanted && permissions[name] !== "write",
  );
  if (missing.length === 0) return [good("app permissions", "the installation grants what the line needs")];
  const fix = (name: string, wanted: string) =>
    `give the App ${name}: ${wanted} in its settings and accept the new permissions in its installation`;
  return missing.map(([name, wanted]) =>
    bad("app permissions", `the installation grants ${name}: ${permissions[name] ?? "nothing"}`, fix(name, wanted)),
  );
}

async function examineEvents(client: Client): Promise<DoctorFinding> {
  const app = await client.read(() => client.octokit.rest.apps.getAuthenticated());
  const missing = neededEvents.filter((event) => !app?.events.includes(event));
  return missing.length === 0
    ? good("app events", "the App is subscribed to what wakes a workflow")
    : bad(
        "app events",
        `the App does not hear ${missing.join(", ")}`,
        `subscribe it to ${missing.join(", ")} in its settings`,
      );
}

/** The newest answer of our own listener tells whether the address and the secret are right. */
async function examineWebhooks(client: Client): Promise<DoctorFinding> {
  const deliveries = await client.read(() => client.octokit.rest.apps.listWebhookDeliveries({ per_page: 30 }));
  const [newest] = deliveries;
  if (newest === undefined) {
    return skipped("webhooks", "GitHub has not sent a webhook yet: comment on any pull request, then look again");
  }
  const status = newest.status_code;
  if (status >= 200 && status < 300) return good("webhooks", `the last webhook (${newest.event}) was taken in`);
  if (status === 401) {
    return bad(
      "webhooks",
      "the last webhook was refused: its signature does not fit WEBHOOK_SECRET",
      "set WEBHOOK_SECRET to the very secret of the App's settings, and deliver once more from there",
    );
  }
  return bad(
    "webhooks",
    status === 0 ? "the last webhook reached nobody" : `the last webhook was answered with HTTP ${status}`,
    "see that the webhook URL of the App ends in /webhooks/github and leads to PORT of this process",
  );
}

interface Protection {
  readonly finding: DoctorFinding;
  readonly checks: GitHubFindings["protectedBy"];
}

async function examineProtection(client: Client): Promise<Protection> {
  const { defaultBranch: branch } = await client.about();
  const { isProtected, checks } = await branchProtection(client, branch);
  const fix = `protect ${branch} by a ruleset or branch protection: pull requests only, and at least one required check`;
  if (!isProtected) {
    return { finding: bad("branch protection", `${branch} is not protected: anybody may push`, fix), checks: [] };
  }
  const names = checks.map(({ name }) => name).join(", ");
  return {
    finding:
      checks.length > 0
        ? good("branch protection", `${branch} requires ${names}`)
        : bad("branch protection", `${branch} is protected, but requires no check`, fix),
    checks,
  };
}
