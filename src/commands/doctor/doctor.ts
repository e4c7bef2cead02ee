import { tmpdir } from "node:os";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findKyverno } from "../../adapters/cli-tools/kyverno.ts";
import { fetchByProxies, gitNetwork } from "../../adapters/http/proxy.ts";
import { openMirror } from "../../adapters/git-mirror.ts";
import { probeDatabase } from "../../adapters/postgres/query.ts";
import { examinePolicyWorkflow } from "./policy-workflow.ts";
import type { GitHubFindings } from "./github.ts";
import { bad, failed, type DoctorFinding, good, skipped } from "./finding.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { isShadowOnly } from "../../domain/guardrails/mode.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { ownLine } from "../../domain/text/one-line.ts";
import { loadGuardrails } from "../../flow/collect/load-guardrails.ts";
import type { Clock } from "../../ports/runtime.ts";
import { kyvernoPlaces } from "../../server/policy-engine.ts";
import { pagesPlace } from "../../settings/pages.ts";
import { preflight } from "../../settings/preflight.ts";
import { adviceWithoutSecrets, withoutSecrets } from "../../settings/redaction.ts";
import type { LoadedSettings, Settings } from "../../settings/settings.ts";

const longestText = 1_000;

/**
 * Looks at a whole installation, point by point, and writes nothing but a scratch directory. `found` and `fix` are for
 * people; scripts read `point` and `state`. No secret of the settings is in any text, whoever said it. The repository is
 * fetched to `clone`, which stays for the next examination; without it to a place that is gone afterwards.
 */
export async function examine(loaded: LoadedSettings, clock: Clock, clone?: string): Promise<readonly DoctorFinding[]> {
  if (!loaded.ok) {
    // Our own words, which never repeat a value.
    const own = (text: string) => ownLine(text, longestText);
    return loaded.problems.map((problem) => cleaned(problemOf("settings", problem), { found: own, fix: own }));
  }
  const found = withoutSecrets(loaded.value, longestText);
  const fix = adviceWithoutSecrets(loaded.value, longestText);
  return (await examineAll(loaded.value, clock, clone)).map((finding) => cleaned(finding, { found, fix }));
}

type Cleaning = (text: string) => string;

function cleaned(finding: DoctorFinding, clean: { readonly found: Cleaning; readonly fix: Cleaning }): DoctorFinding {
  const { found, fix } = finding;
  return { ...finding, found: clean.found(found), ...(fix === undefined ? {} : { fix: clean.fix(fix) }) };
}

/** The findings for scripts: `ok` is false where something is to be fixed, and over all. */
export function renderFindings(findings: readonly DoctorFinding[]): string {
  const points = findings.map(({ point, state, found, fix }) => {
    return { name: point, state, ok: state !== "bad", because: found, fix: fix ?? null };
  });
  return JSON.stringify({ ok: points.every(({ ok }) => ok), points });
}

async function examineAll(settings: Settings, clock: Clock, clone?: string): Promise<readonly DoctorFinding[]> {
  fetchByProxies(settings.proxies);
  // Half of what this command costs where the settings are wrong already would be to load these.
  const [{ examineCluster }, { examineGitHub }] = await Promise.all([import("./cluster.ts"), import("./github.ts")]);
  const [machine, database, github, policies] = await Promise.all([
    examineMachine(settings),
    examineDatabase(settings),
    examineGitHub(settings, clock),
    examineKyverno(settings),
  ]);
  const scratch = mkdtempSync(join(tmpdir(), "rectify-doctor-"));
  const desired = await examineDesired(settings, github, clone ?? scratch);
  const cluster = await examineCluster(settings, { ...desired, clock }).finally(() =>
    rmSync(scratch, { recursive: true, force: true }),
  );
  return [
    good("settings", "every setting is there and has its shape"),
    good("pages", pagesPlace(settings.pages)),
    ...machine,
    database,
    ...github.findings,
    ...desired.findings,
    ...cluster,
    policies,
  ];
}

/** Problems of the settings and of the start are written `what is wrong: what to do`. */
function problemOf(point: string, problem: string): DoctorFinding {
  const cut = problem.lastIndexOf(": ");
  return cut < 0 ? bad(point, problem, problem) : bad(point, problem.slice(0, cut), problem.slice(cut + 2));
}

/** Node, git, the ports and the data directory. Ports that a running Rectify itself holds are in order. */
async function examineMachine(settings: Settings): Promise<readonly DoctorFinding[]> {
  const { host, webhookPort, internalPort, pages } = settings;
  const pagesPort = pages.kind === "proxy" ? 0 : pages.port;
  const ownHost = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const [webhooks, internal, own] = await Promise.all([
    ...([
      isRectify(ownHost, webhookPort),
      isRectify(ownHost, internalPort),
      isRectify("127.0.0.1", pagesPort),
    ] as const),
  ]);
  const problems = await preflight({
    ...settings,
    // The database is a point of its own.
    databaseUrl: undefined,
    webhookPort: webhooks ? 0 : webhookPort,
    internalPort: internal ? 0 : internalPort,
    pagesPort: own ? 0 : pagesPort,
  });
  if (problems.length > 0) return problems.map((problem) => problemOf("machine", problem));
  return [good("machine", "Node and git run, the ports are free or ours, the data directory can be written")];
}

async function isRectify(host: string, port: number): Promise<boolean> {
  if (port === 0) return false;
  const request = { signal: AbortSignal.timeout(2_000), redirect: "error" as const };
  return fetch(`http://${host.includes(":") ? `[${host}]` : host}:${port}/healthz`, request).then(
    (answer) => answer.ok,
    () => false,
  );
}

async function examineDatabase({ databaseUrl }: Settings): Promise<DoctorFinding> {
  if (databaseUrl === undefined) {
    return skipped("database", "DATABASE_URL is not set: an embedded Postgres is used, which is meant for trials");
  }
  const fix = "see that Postgres runs, that DATABASE_URL names an existing database, user and password";
  return probeDatabase(databaseUrl).then(
    ({ version, canCreate }) =>
      canCreate
        ? good("database", `Postgres ${version} answers, and we may create our tables`)
        : bad(
            "database",
            "the user of DATABASE_URL may not create schemas and tables",
            "make it the owner of its database: alter database … owner to …",
          ),
    failed("database", fix),
  );
}

interface Desired {
  readonly findings: readonly DoctorFinding[];
  readonly guardrails: Guardrails | undefined;
  readonly head: { readonly sha: string; readonly tree: Tree } | undefined;
  readonly contains: (descendant: string, ancestor: string) => Promise<boolean>;
}

/** The repository as git serves it, and what people allow in it. `place` must stay while the answer is used. */
async function examineDesired(
  settings: Settings,
  { client, protectedBy }: GitHubFindings,
  place: string,
): Promise<Desired> {
  const nothing = { guardrails: undefined, head: undefined, contains: async () => false };
  if (client === undefined) {
    return { ...nothing, findings: [skipped("guardrails", "without GitHub the repository cannot be read")] };
  }
  const { cloneUrl: url, authorization } = client;
  try {
    const mirror = openMirror({ directory: place, url, authorization, network: await gitNetwork(settings, place) });
    const head = await mirror.head();
    const read = loadGuardrails(head.tree);
    return {
      findings: [
        good("clone", `git fetched ${head.sha.slice(0, 7)} from ${client.cloneUrl}`),
        ...(read.ok ? guardrailFindings(read.value, protectedBy) : read.problems.map(guardrailProblem)),
        ...(read.ok ? examinePolicyWorkflow(read.value, head.tree) : []),
      ],
      guardrails: read.ok ? read.value : undefined,
      head,
      contains: mirror.contains,
    };
  } catch (error) {
    const fix = `see that ${client.cloneUrl} can be reached from here over HTTPS`;
    return { ...nothing, findings: [failed("clone", fix)(error)] };
  }
}

function guardrailProblem(problem: string): DoctorFinding {
  return bad("guardrails", problem, "correct .github/rectify.yml on the default branch; until then nothing is written");
}

/** What the guardrails lean on must exist: namespaces that are allowed, checks that GitHub itself enforces. */
function guardrailFindings(
  guardrails: Guardrails,
  protectedBy: GitHubFindings["protectedBy"],
): readonly DoctorFinding[] {
  const findings: DoctorFinding[] = [];
  const { namespaces } = guardrails;
  if (namespaces.length === 0 && isShadowOnly(guardrails)) {
    const found = "valid; shadow mode looks at every namespace, as none is named";
    const later = "before a class is live, name its namespace under `namespaces` in .github/rectify.yml";
    findings.push(good("guardrails", `${found}: ${later}`));
  } else if (namespaces.length === 0) {
    const fix = "name the namespaces that may be changed under `namespaces` in .github/rectify.yml";
    findings.push(bad("guardrails", "no namespace is allowed, so every incident ends without a change", fix));
  } else {
    findings.push(good("guardrails", `valid; changes are allowed in ${namespaces.join(", ")}`));
  }
  if (protectedBy === undefined) return findings;
  for (const { name, app } of guardrails.requiredChecks) {
    const held = protectedBy.find((check) => check.name === name);
    if (held === undefined) {
      findings.push(
        bad(
          "required checks",
          `the guardrails count on the check ${name}, which the branch protection does not require`,
          `require ${name} in the protection of the default branch, reported by the App ${app}`,
        ),
      );
    } else if (held.app !== undefined && held.app !== app) {
      findings.push(
        bad(
          "required checks",
          `the branch protection takes ${name} from the App ${held.app}, the guardrails from ${app}`,
          "name the same App in both",
        ),
      );
    }
  }
  return findings;
}

async function examineKyverno(settings: Settings): Promise<DoctorFinding> {
  if (settings.kyverno === "off")
    return skipped("kyverno", "KYVERNO is off: a required check of CI evaluates the policies");
  const found = await findKyverno({ ...kyvernoPlaces(settings), timeoutMs: 60_000 });
  return found.kind === "found"
    ? good("kyverno", `the Kyverno CLI ${found.version} is at ${found.path}`)
    : bad("kyverno", found.because, "run `npm run tools:kyverno`, or set KYVERNO to a CLI of a tested version");
}
