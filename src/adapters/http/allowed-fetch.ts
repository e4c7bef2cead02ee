import { Refused, Unavailable } from "../../ports/errors.ts";

/** What may be fetched: from whom, how much and until when. */
export interface Fetching {
  /** With a port where there is one. An answer that leads anywhere else ends the question. */
  readonly hosts: readonly string[];
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** An answer in full, and the address that gave it. */
export interface Fetched {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly url: URL;
}

const mostHops = 5;

/**
 * `GET` that follows an answer only to hosts that are allowed as well, never from TLS to plain text; what the headers
 * carry goes to the first host alone. An address from a repository must not become a way into a private network.
 * Throws `Refused` (a host that nobody allowed, too much) or `Unavailable` (no answer in time).
 */
export async function fetchAllowed(first: URL, headers: Record<string, string>, limits: Fetching): Promise<Fetched> {
  let url = first;
  for (let hop = 0; hop <= mostHops; hop += 1) {
    if (!limits.hosts.includes(url.host)) throw new Refused(`it leads to ${url.host}, which is not among CHART_HOSTS`);
    const own = url.host === first.host && url.protocol === first.protocol ? headers : onlyAccept(headers);
    const answer = await ask(url, own, limits);
    if ("body" in answer) return { ...answer, url };
    if (!URL.canParse(answer.location, url.href)) throw new Refused(`${url.host} leads to an address that is none`);
    const next = new URL(answer.location, url);
    if (next.protocol !== url.protocol && next.protocol !== "https:")
      throw new Refused(`${url.host} leads to ${next.protocol} instead of https:`);
    url = next;
  }
  throw new Refused(`${first.host} leads from one address to the next`);
}

/** `GET` of one address and of no other: an answer that leads on is refused. Throws `Refused` or `Unavailable`. */
export async function fetchDirectly(url: URL, limits: Omit<Fetching, "hosts">): Promise<Fetched> {
  const answer = await ask(url, {}, limits);
  if ("location" in answer) throw new Refused(`${url.host} leads to another address`);
  return { ...answer, url };
}

const onlyAccept = ({ accept }: Record<string, string>): Record<string, string> =>
  accept === undefined ? {} : { accept };

type Answer = Omit<Fetched, "url"> | { readonly location: string };

async function ask(
  url: URL,
  headers: Record<string, string>,
  { signal, maxBytes }: Omit<Fetching, "hosts">,
): Promise<Answer> {
  try {
    const response = await fetch(url, { headers, signal, redirect: "manual" });
    const location = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      return { location };
    }
    return { status: response.status, headers: response.headers, body: await bodyOf(response, maxBytes) };
  } catch (cause) {
    if (cause instanceof Refused) throw cause;
    const why = signal.aborted ? "it took too long" : "no answer";
    throw new Unavailable(`${url.host}: ${why}`, { cause });
  }
}

async function bodyOf(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw new Refused("it is too big");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
