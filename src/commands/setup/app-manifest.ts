import { z } from "zod";
import { parseYaml } from "../../manifests/yaml/yaml.ts";

/** What app.yml says of the App: the one place for its permissions and events. */
const AppFile = z.object({
  ...{ name: z.string(), description: z.string(), url: z.url(), public: z.boolean() },
  default_permissions: z.record(z.string(), z.enum(["read", "write"])),
  default_events: z.array(z.string()),
});

/** What differs from one installation to the next. */
export interface AppPlace {
  readonly name: string;
  /** Where GitHub sends the person back to. */
  readonly redirectUrl: string;
  /** Where GitHub's webhooks reach us; undefined = nowhere yet. */
  readonly webhookUrl: string | undefined;
  /** The pages, where people sign in to them with GitHub. */
  readonly pagesUrl: string | undefined;
}

/** The manifest that GitHub registers an App from, as app.yml has it. Throws when app.yml is not such a file. */
export function appManifest(appFile: string, { name, redirectUrl, webhookUrl, pagesUrl }: AppPlace) {
  const parsed = parseYaml(appFile);
  if (!parsed.ok) throw new Error(`app.yml: ${parsed.problem}`);
  const app = AppFile.parse(parsed.value);
  return {
    ...app,
    name,
    redirect_url: redirectUrl,
    // GitHub wants an address also where it shall send nothing. Without webhooks Rectify asks by itself.
    hook_attributes: { url: webhookUrl ?? app.url, active: webhookUrl !== undefined },
    ...(pagesUrl === undefined ? {} : { callback_urls: [`${pagesUrl.replace(/\/$/, "")}/login/callback`] }),
  };
}

// GitHub takes no longer name.
const longestName = 34;

/** A name that hardly anybody has yet: names of Apps are unique on all of GitHub. */
export function appNameFor(owner: string): string {
  return `rectify-${owner}`.slice(0, longestName).replace(/-+$/, "");
}
