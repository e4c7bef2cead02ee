import { z } from "zod";
import { Refused, Unavailable } from "../../ports/errors.ts";

const Converted = z.object({
  ...{ id: z.int().positive(), slug: z.string(), html_url: z.url(), pem: z.string().includes("-----BEGIN") },
  // GitHub makes none where the webhook is not active.
  webhook_secret: z.string().nullish(),
  ...{ client_id: z.string(), client_secret: z.string() },
});

/** What GitHub hands out once for a new App. */
export type Converted = Readonly<z.infer<typeof Converted>>;

const tries = 4;
const deadlineMs = 20_000;

/**
 * Trades the code of a registration for the App's id and secrets:
 * https://docs.github.com/rest/apps/apps#create-a-github-app-from-a-manifest. The code is good once, for an hour.
 */
export async function convert(apiUrl: string, code: string, waitMs = 1_000): Promise<Converted> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask(apiUrl, code);
    } catch (error) {
      if (!(error instanceof Unavailable) || failures === tries) throw error;
      await new Promise((resume) => setTimeout(resume, waitMs * failures));
    }
  }
}

async function ask(apiUrl: string, code: string): Promise<Converted> {
  const asked = `GitHub: registering the App`;
  const url = `${apiUrl.replace(/\/$/, "")}/app-manifests/${encodeURIComponent(code)}/conversions`;
  const headers = { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" };
  const request = { method: "POST", headers, redirect: "error" as const, signal: AbortSignal.timeout(deadlineMs) };
  let answer: { readonly status: number; readonly text: string };
  try {
    const response = await fetch(url, request);
    answer = { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new Unavailable(`${asked}: no server answered at ${new URL(apiUrl).host}`, { cause });
  }
  const { status, text } = answer;
  if (status >= 500 || status === 429) throw new Unavailable(`${asked}: HTTP ${status}`);
  if (status !== 201) throw new Refused(`${asked}: HTTP ${status}; the code is good once, for an hour: start again`);
  const read = Converted.safeParse(jsonOf(text));
  // The answer holds the key: not a word of it is repeated.
  if (!read.success) throw new Refused(`${asked}: GitHub's answer does not hold what it should`);
  return read.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
