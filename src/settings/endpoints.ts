import { z } from "zod";

/** Where a source is, and by which right it is asked. */
export interface Endpoint {
  readonly url: string;
  readonly authorization?: string | undefined;
  /** A file that is read for every call, as whoever renews the secret writes it anew. */
  readonly secretFile?: SecretFile | undefined;
  /** Sent along with every question, such as the tenant of a shared Mimir or Loki. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A bearer token, or with a user the password of basic authentication. */
interface SecretFile {
  readonly path: string;
  readonly user?: string | undefined;
}

const hasCredentials = (text: string) => {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== "" || password !== "";
};

/** An http or https address without user and password: an address is seen in logs, pages and error texts. */
export const address = z
  .url({ protocol: /^https?$/, error: "must be an http or https address" })
  .refine(
    (text) => !hasCredentials(text),
    "must not hold a user or password: set them by the variables _USERNAME and _PASSWORD_PATH, or _TOKEN_PATH, of the same name",
  )
  .transform((text) => text.replace(/\/$/, ""));

const absolute = z.string().startsWith("/", "must be an absolute path");

/** `X-Scope-OrgID=team-a,Other=value`, percent-encoded where a value holds a comma. */
const headers = z.string().transform((text, context) => {
  const pairs = text.split(",").map((pair) => pair.split("="));
  const read = pairs.map(([name = "", ...value]) => [name.trim(), decoded(value.join("=").trim())] as const);
  if (read.every(([name, value]) => isHeader(name, value))) return Object.fromEntries(read) as Record<string, string>;
  context.addIssue({ code: "custom", message: "must be headers such as X-Scope-OrgID=team-a,Other=value" });
  return z.NEVER;
});

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// A header that says who we are has variables of its own.
function isHeader(name: string, value: string): boolean {
  const known = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && name.toLowerCase() !== "authorization";
  return known && value !== "" && /^[\t\x20-\x7e]+$/.test(value);
}

/** The variables by which a source of that name is asked. */
export const endpointVariables = <const Name extends string>(name: Name) =>
  ({
    [`${name}_TOKEN`]: z.string().optional(),
    [`${name}_TOKEN_PATH`]: absolute.optional(),
    [`${name}_USERNAME`]: z.string().optional(),
    [`${name}_PASSWORD`]: z.string().optional(),
    [`${name}_PASSWORD_PATH`]: absolute.optional(),
    [`${name}_HEADERS`]: headers.optional(),
  }) as {
    readonly [Key in `${Name}_${"TOKEN" | "USERNAME" | "PASSWORD"}`]: z.ZodOptional<z.ZodString>;
  } & {
    readonly [Key in `${Name}_${"TOKEN_PATH" | "PASSWORD_PATH"}`]: z.ZodOptional<typeof absolute>;
  } & { readonly [Key in `${Name}_HEADERS`]: z.ZodOptional<typeof headers> };

/** The endpoint that the variables of a name describe. */
export function endpointOf(name: string, url: string, read: Readonly<Record<string, unknown>>): Endpoint {
  const text = (suffix: string) => read[`${name}_${suffix}`] as string | undefined;
  const user = text("USERNAME");
  const tokenPath = text("TOKEN_PATH");
  const passwordPath = text("PASSWORD_PATH");
  const secretFile =
    tokenPath !== undefined
      ? { path: tokenPath }
      : passwordPath !== undefined
        ? { path: passwordPath, user: user ?? "" }
        : undefined;
  return {
    url,
    authorization: authorizationOf(text("TOKEN"), user, text("PASSWORD")),
    secretFile,
    headers: read[`${name}_HEADERS`] as Endpoint["headers"],
  };
}

function authorizationOf(token: string | undefined, user: string | undefined, password: string | undefined) {
  if (token !== undefined) return `Bearer ${token}`;
  if (user === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** What is said twice, or only half. */
export function endpointProblems(name: string, given: Readonly<Record<string, string | undefined>>): string[] {
  const set = (suffix: string) => given[`${name}_${suffix}`] !== undefined;
  const ways = [set("TOKEN"), set("TOKEN_PATH"), set("PASSWORD"), set("PASSWORD_PATH")].filter(Boolean).length;
  const basic = set("PASSWORD") || set("PASSWORD_PATH");
  return [
    ...(ways > 1 ? [`${name}_TOKEN: set one of _TOKEN, _TOKEN_PATH, _PASSWORD and _PASSWORD_PATH`] : []),
    ...(basic !== set("USERNAME") ? [`${name}_USERNAME: user and password go together: set both, or neither`] : []),
  ];
}
