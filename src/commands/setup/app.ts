import { readFileSync } from "node:fs";
import { parseSettings } from "../../settings/settings.ts";
import { webAddress } from "../../settings/links.ts";
import { type Answers } from "./answers.ts";
import { appManifest } from "./app-manifest.ts";
import { WrongCall } from "./dialog.ts";
import { registerApp } from "./registration.ts";
import { appToKeep, keepApp, type Kept, keptApp, prepare } from "./secret-files.ts";

/** The App of an earlier run, one that the environment names, or one that a person registers now. */
export async function appOf(answers: Answers, tell: (line: string) => void): Promise<Kept> {
  const { directory, app } = answers;
  const before = keptApp(directory);
  if (before !== undefined) {
    tell(`GitHub: the App ${before.slug} is registered already (${directory})`);
    return before;
  }
  if (app.APP_ID !== undefined) return keepApp(directory, givenApp(answers));
  const kept = await newApp(answers, tell);
  tell(`GitHub: the App ${kept.slug} is registered`);
  return kept;
}

/** An App that people registered themselves. */
function givenApp({ app, settings, apiUrl }: Answers): Kept {
  // Where it has no token for alerts yet, it gets one.
  const read = parseSettings({ ALERTS_TOKEN: "x".repeat(32), ...settings, ...app });
  if (!read.ok) throw new WrongCall(read.problems);
  const { id, privateKey } = read.value.app;
  const about = { id, slug: `App ${id}`, html_url: `${webAddress(apiUrl)}/settings`, pem: privateKey };
  const secrets = { webhook_secret: read.value.webhookSecret, client_id: "", client_secret: "" };
  return appToKeep({ ...about, ...secrets }, app.ALERTS_TOKEN);
}

async function newApp(answers: Answers, tell: (line: string) => void): Promise<Kept> {
  const { directory, appName: name, webhookUrl, organization, port, waitMinutes, settings, apiUrl } = answers;
  const appFile = readFileSync(new URL("../../../app.yml", import.meta.url), "utf8");
  const pagesUrl = settings.PAGES_URL;
  // Before a person goes to GitHub: what comes back must find its place.
  prepare(directory);
  const kept: Kept[] = [];
  await registerApp({
    ...{ apiUrl, webUrl: webAddress(apiUrl), organization, port, deadlineMs: waitMinutes * 60_000 },
    manifest: (redirectUrl) => appManifest(appFile, { name, redirectUrl, webhookUrl, pagesUrl }),
    open: (address) => tell(`Open ${address} in a browser on this machine, and register the App.`),
    keep: (converted) => void kept.push(keepApp(directory, appToKeep(converted, answers.app.ALERTS_TOKEN))),
  });
  const [app] = kept;
  if (app === undefined) throw new Error("an App was registered and not kept");
  return app;
}
