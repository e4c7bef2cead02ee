import { address } from "./endpoints.ts";
import { type NotifySettings, type NotifyVariables, notifyOf, notifyVariables } from "./notify.ts";

/** Where people find what Rectify reads and shows, for links only, and by what they are told. */
export interface LinkSettings {
  /** The pages as people reach them. */
  readonly pages?: string | undefined;
  readonly grafana?: string | undefined;
  readonly prometheus?: string | undefined;
  readonly notify?: NotifySettings | undefined;
  /** The repository on the web. */
  readonly repository: string;
}

/** The variables by which they are told. */
export const linkVariables = {
  PAGES_URL: address.optional(),
  GRAFANA_URL: address.optional(),
  PROMETHEUS_PUBLIC_URL: address.optional(),
  ...notifyVariables,
};

interface Read extends NotifyVariables {
  readonly PAGES_URL?: string | undefined;
  readonly GRAFANA_URL?: string | undefined;
  readonly PROMETHEUS_PUBLIC_URL?: string | undefined;
  readonly GITHUB_API_URL: string;
}

/** The links of what was read, for a repository as `owner/name`. */
export function linksOf(read: Read, repository: string): LinkSettings {
  return {
    pages: read.PAGES_URL,
    grafana: read.GRAFANA_URL,
    prometheus: read.PROMETHEUS_PUBLIC_URL,
    notify: notifyOf(read),
    repository: `${webAddress(read.GITHUB_API_URL)}/${repository}`,
  };
}

/**
 * Where GitHub's pages are, by its API: github.com, a tenant of ghe.com (`api.acme.ghe.com`), or a server of one's own
 * (`https://github.acme.com/api/v3`). https://docs.github.com/enterprise-server/rest/quickstart
 */
export function webAddress(apiUrl: string): string {
  const { protocol, host, pathname } = new URL(apiUrl);
  const web = /^api\.(github\.com|[\w-]+\.ghe\.com)$/.exec(host)?.[1] ?? host;
  return `${protocol}//${web}${pathname.replace(/\/(?:api\/v3\/?)?$/, "")}`;
}
