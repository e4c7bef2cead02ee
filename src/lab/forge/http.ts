import type { Account } from "./world.ts";

/** One request to the API, matched and authenticated. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
  readonly apiUrl: string;
}

/** Who asks: nobody, the App by its JWT, or its installation by a token. */
export type Caller =
  | { readonly kind: "nobody" }
  | { readonly kind: "app" }
  | { readonly kind: "installation"; readonly account: Account };

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

type Handler = (call: Call) => Promise<Answer> | Answer;

/** `{name}` takes one segment, `{name*}` the rest of the path. */
export type Routes = Readonly<Record<string, Handler>>;

/** A no, in GitHub's form. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly errors: readonly object[] | undefined;
  readonly headers?: Readonly<Record<string, string>>;

  constructor(status: number, message: string, errors?: readonly object[]) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

export function notFound(): Problem {
  return new Problem(404, "Not Found");
}

/** 422 with GitHub's list of what is wrong. */
export function invalid(resource: string, field: string, error: { code: string; message?: string }): Problem {
  return new Problem(422, "Validation Failed", [{ resource, field, ...error }]);
}

export function problemBody(problem: Problem): object {
  return {
    message: problem.message,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
    documentation_url: "https://docs.github.com/rest",
    status: String(problem.status),
  };
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: unknown): Answer {
  return { status: 201, body };
}

/** One page of a list, with GitHub's Link header. `wrap` builds the body when it is not the bare list. */
export function paged<T>(
  call: Call,
  items: readonly T[],
  wrap: (page: readonly T[]) => unknown = (page) => page,
): Answer {
  const size = Math.min(100, Math.max(1, Number(call.query.get("per_page") ?? 30) || 30));
  const page = Math.max(1, Number(call.query.get("page") ?? 1) || 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (number: number, rel: string) => {
    const query = new URLSearchParams(call.query);
    query.set("page", String(number));
    return `<${call.apiUrl}${call.path}?${query}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, "prev"), link(1, "first")] : []),
    ...(page < last ? [link(page + 1, "next"), link(last, "last")] : []),
  ];
  const body = wrap(items.slice((page - 1) * size, page * size));
  return { status: 200, body, ...(links.length > 0 ? { headers: { link: links.join(", ") } } : {}) };
}

/** A text field of the request; 422 when it is there and is no text. */
export function textOf(call: Call, field: string, resource: string): string | undefined {
  const value = call.body[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw invalid(resource, field, { code: "invalid" });
  return value;
}

export function requiredText(call: Call, field: string, resource: string): string {
  const value = textOf(call, field, resource);
  if (value === undefined || value === "") throw invalid(resource, field, { code: "missing_field" });
  return value;
}

// https://github.com/orgs/community/discussions/27190
const longestBody = 65_536;

/** A body as GitHub takes it: 422 when it is longer than 65,536 characters. */
export function bodyText(call: Call, resource: string): string | undefined {
  const body = textOf(call, "body", resource);
  if (body !== undefined && [...body].length > longestBody) {
    const message = `body is too long (maximum is ${longestBody} characters)`;
    throw invalid(resource, "body", { code: "custom", message });
  }
  return body;
}

interface Compiled {
  readonly method: string;
  readonly segments: readonly string[];
  readonly handler: Handler;
}

export interface Match {
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the handler of a request; a route that takes the rest of the path comes after all others. */
export function routerOf(routes: Routes): (method: string, path: string) => Match | undefined {
  const table: Compiled[] = Object.entries(routes).map(([pattern, handler]) => {
    const [method = "", path = ""] = pattern.split(" ");
    return { method, segments: path.split("/").slice(1), handler };
  });
  table.sort((one, other) => Number(isGreedy(one)) - Number(isGreedy(other)));
  return (method, path) => {
    const parts = path.split("/").slice(1);
    for (const route of table) {
      const params = route.method === method ? paramsOf(route.segments, parts) : undefined;
      if (params) return { handler: route.handler, params };
    }
    return undefined;
  };
}

function isGreedy({ segments }: Compiled): boolean {
  return segments.at(-1)?.endsWith("*}") ?? false;
}

function paramsOf(segments: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [at, segment] of segments.entries()) {
    const part = parts[at];
    if (part === undefined || part === "") return undefined;
    if (segment.endsWith("*}")) {
      params[segment.slice(1, -2)] = decoded(parts.slice(at).join("/"));
      return params;
    }
    if (segment.startsWith("{")) params[segment.slice(1, -1)] = decoded(part);
    else if (segment !== part) return undefined;
  }
  return segments.length === parts.length ? params : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Problem(400, "Problems parsing the path");
  }
}
