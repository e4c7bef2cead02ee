import { z } from "zod";
import type { Proxies } from "../domain/text/proxies.ts";

const names = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] as const;

const proxy = z.url({ protocol: /^https?$/, error: "must be the http or https address of a proxy" }).optional();

/** What programs behind a fence are told of it. A proxy may ask for a user and password in its address. */
export const proxyVariables = {
  HTTPS_PROXY: proxy,
  HTTP_PROXY: proxy,
  NO_PROXY: z.string().optional(),
  NODE_EXTRA_CA_CERTS: z.string().startsWith("/", "must be an absolute path").optional(),
};

/** Programs read these variables in lower case as well, and take those first. */
export function withProxyNames(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const lower = names.flatMap((name) => {
    const given = environment[name.toLowerCase()];
    return given === undefined || given === "" ? [] : [[name, given] as const];
  });
  return { ...environment, ...Object.fromEntries(lower) };
}

/** Undefined = every address is asked directly. */
export function proxiesOf(read: {
  readonly HTTPS_PROXY?: string | undefined;
  readonly HTTP_PROXY?: string | undefined;
  readonly NO_PROXY?: string | undefined;
}): Proxies | undefined {
  const { HTTPS_PROXY: https, HTTP_PROXY: http, NO_PROXY: direct = "" } = read;
  if (https === undefined && http === undefined) return undefined;
  return { https, http, direct: direct.split(/[\s,]+/).filter((entry) => entry !== "") };
}
