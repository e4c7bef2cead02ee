import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inflateSync } from "node:zlib";
import { type GitHubClient, connectGitHub } from "../../src/adapters/github/github.ts";
import { gitHost, people } from "../../src/adapters/github/host.ts";
import { type Mirror, openMirror } from "../../src/adapters/git-mirror.ts";
import type { ProposalDraft } from "../../src/domain/proposal/pull-request.ts";
import { type Forge, type ForgeOptions, startForge } from "../../src/lab/forge/forge.ts";
import { appKey } from "../../src/lab/repository.ts";
import type { GitHost, People } from "../../src/ports/github.ts";
import { ledgerBreaches } from "../faults/ledger.ts";

export const key = appKey();

export const app = { id: 4711, slug: "rectify", privateKeyPem: key, webhookSecret: "s".repeat(32) };
export const ci = 99;
export const repository = { owner: "acme", repo: "shop" };

/** A forge, the folder that everything about it lies in, and its first commit. */
type Shop = Forge & {
  readonly place: string;
  readonly first: string;
  readonly sessions: Session[];
  /** What of the ledger a test breaks by its own hand, such as Z3. */
  readonly excused: Set<string>;
};

const someFiles: ForgeOptions["files"] = { "apps/web.yaml": "replicas: 2\n", "README.md": "shop\n" };
const nothingKept = { waiting: 0, unfinished: [], parked: [], problems: [] };

/** The ledger is looked at when it closes. A forge with a small repository on it, of which a mirror was fetched by an earlier run. */
export async function startShop(changes: Partial<ForgeOptions> = {}): Promise<Shop> {
  const place = mkdtempSync(join(tmpdir(), "rectify-shop-"));
  const forge = await startForge({
    ...repository,
    directory: join(place, "forge"),
    files: someFiles,
    app,
    people: [
      { login: "ada", permission: "admin" },
      { login: "max", permission: "maintain" },
      { login: "wim", permission: "write" },
      { login: "tia", permission: "triage" },
      { login: "rob", permission: "read" },
      { login: "nan", permission: "none" },
    ],
    requiredChecks: [{ name: "ci", appId: ci }],
    private: true,
    ...changes,
  });
  const sessions: Session[] = [];
  // Tests share a shop and follow one another at once: its busiest minute (Z8) is nobody's pace.
  const excused = new Set<string>(["Z8"]);
  const close = async () => {
    await forge.close();
    rmSync(place, { recursive: true, force: true });
    const audit = sessions.flatMap((session) => session.audit);
    const breaches = ledgerBreaches({ ...nothingKept, audit }, forge, [app.webhookSecret, key.slice(100, 200)]);
    const left = breaches.filter((breach) => !excused.has(breach.slice(0, breach.indexOf(":"))));
    if (left.length > 0) throw new Error(`the ledger: ${left.join("; ")}`);
  };
  const first = (await forge.headOf("main")) ?? "";
  mirrorOf(forge.directory, first, join(place, "mirror"));
  layOut(join(place, "mirror", "trees", first), changes.files ?? someFiles);
  return Object.defineProperties(
    { place, first, sessions, excused },
    { ...Object.getOwnPropertyDescriptors(forge), close: { value: close } },
  ) as unknown as Shop;
}

/** What fetching the repository leaves. It takes seventeen processes: the mirror's own tests fetch for the first time. */
function mirrorOf(repository: string, tip: string, mirror: string): void {
  for (const folder of ["objects", "refs/heads", "refs/rectify"]) mkdirSync(join(mirror, folder), { recursive: true });
  cpSync(join(repository, "objects"), join(mirror, "objects"), { recursive: true });
  writeFileSync(join(mirror, "HEAD"), "ref: refs/heads/main\n");
  writeFileSync(join(mirror, "config"), "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n");
  writeFileSync(join(mirror, "refs", "rectify", "head"), `${tip}\n`);
  writeFileSync(join(mirror, "FETCH_HEAD"), `${tip}\t\t${repository}\n`);
}

/** And what reading the first commit leaves there, which takes two more. */
function layOut(place: string, files: ForgeOptions["files"]): void {
  const listing = Object.entries(files).map(([path, content]) => {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), content);
    const blob = createHash("sha1")
      .update(`blob ${Buffer.byteLength(content)}\0${content}`)
      .digest("hex");
    return `100644 blob ${blob}\t${path}\0`;
  });
  writeFileSync(`${place}.listing`, listing.join(""));
  writeFileSync(`${place}.complete`, "");
}

/** One run of our adapter: a new one is what remains after a crash. */
export interface Session {
  readonly client: GitHubClient;
  readonly host: GitHost;
  readonly people: People;
  readonly mirror: Mirror;
  readonly audit: { readonly action: string; readonly detail: Readonly<Record<string, unknown>> }[];
}

export async function connect(
  forge: Shop,
  deadlineMs?: number,
  now?: () => number,
  mayNotWrite?: (action: string, detail: Readonly<Record<string, unknown>>) => Promise<string | undefined>,
): Promise<Session> {
  const audit: { action: string; detail: Readonly<Record<string, unknown>> }[] = [];
  const client = await connectGitHub({
    apiUrl: forge.apiUrl,
    repository,
    app: { id: app.id, privateKey: key },
    writeGapMs: 0,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(now === undefined ? {} : { now }),
    ...(mayNotWrite === undefined ? {} : { mayNotWrite }),
    audit: async (action, detail) => void audit.push({ action, detail }),
  });
  const directory = join(forge.place, "mirror");
  const mirror = toldOfPushes(
    openMirror({ directory, url: forge.cloneUrl, authorization: client.authorization }),
    forge,
  );
  const session = { client, mirror, host: gitHost(client, mirror), people: people(client), audit };
  forge.sessions.push(session);
  return session;
}

/**
 * Fetches when the default branch has moved, and not at each look: half a dozen processes to learn that it stands where
 * it stood were most of what these tests cost.
 */
function toldOfPushes(mirror: Mirror, forge: Shop): Mirror {
  let last: { readonly at: string | undefined; readonly head: ReturnType<Mirror["head"]> } | undefined;
  const head: Mirror["head"] = async () => {
    const at = await forge.headOf("main");
    if (last === undefined && at === forge.first)
      last = { at, head: mirror.at(at).then((tree) => ({ sha: at, tree })) };
    if (last === undefined || last.at !== at) last = { at, head: mirror.head() };
    const { head } = last;
    // What failed is asked anew.
    head.catch(() => (last = undefined));
    return head;
  };
  // The tip that is there by then holds what is asked for, and what a commit holds never changes.
  const treeId: Mirror["treeId"] = async (sha) => {
    await head();
    const asked = treeIds.get(sha) ?? treeOf(forge.directory, sha) ?? mirror.treeId(sha);
    treeIds.set(sha, asked);
    asked.catch(() => treeIds.delete(sha));
    return asked;
  };
  return { ...mirror, head, treeId };
}

const treeIds = new Map<string, Promise<string>>();

/** As the commit itself says, without a process; undefined where it lies in no file of its own. */
function treeOf(repository: string, sha: string): Promise<string> | undefined {
  const file = join(repository, "objects", sha.slice(0, 2), sha.slice(2));
  const tree = existsSync(file)
    ? /\0tree ([0-9a-f]{40})\n/.exec(inflateSync(readFileSync(file)).toString("latin1"))
    : null;
  return tree?.[1] === undefined ? undefined : Promise.resolve(tree[1]);
}

/** A proposal that scales the shop's web workload. */
export async function aDraft(forge: Forge, changes: Partial<ProposalDraft> = {}): Promise<ProposalDraft> {
  const incident = changes.incident ?? "6f1c2b1e-0000-5000-8000-000000000001";
  const effect = changes.effect ?? "effect-4-replicas";
  return {
    incident,
    effect,
    branch: "rectify/shop-web",
    baseSha: (await forge.headOf("main")) ?? "",
    title: "Scale shop/web to 4",
    body: `It hurts.\n\n- Incident-UID: \`${incident}\`\n- Effect: \`${effect}\``,
    labels: ["rectify", "risk/low"],
    commitMessage: `Scale shop/web to 4\n\nIt hurts.\n\nIncident-UID: ${incident}\nEffect: ${effect}`,
    files: [{ path: "apps/web.yaml", content: "replicas: 4\n" }],
    report: "Waiting for the required checks",
    check: { conclusion: "success", title: "risk low", summary: "all policies pass" },
    ...changes,
  };
}
