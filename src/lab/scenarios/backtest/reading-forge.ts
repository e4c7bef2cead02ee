import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { type Forge, startForge } from "../../forge/forge.ts";
import { appKey } from "../../repository.ts";

/** A GitHub with a history of its own, and a token for it that may only read. */
export interface ReadingForge {
  readonly forge: Forge;
  readonly token: string;
  /** The App whose installation may only read. */
  readonly app: { readonly id: number; readonly privateKey: string };
}

const appId = 4712;

/** Serves `main` of a bare repository under the directory, which must be new; every write is refused, and on record. */
export async function openReadingForge(directory: string, repository: string): Promise<ReadingForge> {
  const privateKey = appKey();
  const forge = await startForge({
    ...{ owner: "rectify-lab", repo: "past", directory, files: { "README.md": "replaced by the past\n" } },
    app: { id: appId, slug: "reader", privateKeyPem: privateKey, webhookSecret: randomBytes(16).toString("hex") },
    ...{ people: [], requiredChecks: [], private: true, settings: { readOnly: true } },
  });
  const fetched = ["fetch", "--quiet", "--force", "--update-head-ok", repository, "refs/heads/main:refs/heads/main"];
  execFileSync("git", ["--git-dir", forge.directory, ...fetched], { stdio: ["ignore", "ignore", "inherit"] });
  const [, basic = ""] = forge.fetchAuthorization().split(" ");
  const [, token = ""] = Buffer.from(basic, "base64").toString().split(":");
  return { forge, token, app: { id: appId, privateKey } };
}
