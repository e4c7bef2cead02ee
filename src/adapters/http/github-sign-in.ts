import { Refused, Unavailable } from "../../ports/errors.ts";

/** GitHub's sign-in by the App: where it is, and who the App is there. */
interface SignInOptions {
  /** GitHub on the web, and its API. */
  readonly webUrl: string;
  readonly apiUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly deadlineMs?: number;
}

export interface SignIn {
  /** Where a person is sent to say yes. `challenge` is the SHA-256 of the verifier (PKCE, RFC 7636). */
  authorizeUrl(state: string, challenge: string): string;
  /** Who said yes; undefined when the code is not good. The person's token is used once and kept nowhere. */
  loginOf(code: string, verifier: string): Promise<string | undefined>;
}

/** https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app */
export function githubSignIn(options: SignInOptions): SignIn {
  const { webUrl, apiUrl, clientId, clientSecret, redirectUri } = options;
  const ask = async (url: string, init: RequestInit): Promise<unknown> => {
    const signal = AbortSignal.timeout(options.deadlineMs ?? 10_000);
    const answer = await fetch(url, { ...init, signal, redirect: "error" }).catch((cause: unknown) => {
      throw new Unavailable("GitHub: no answer to a sign-in", { cause });
    });
    if (answer.status >= 500 || answer.status === 429) throw new Unavailable(`GitHub ${answer.status}: sign-in`);
    if (!answer.ok) throw new Refused(`GitHub ${answer.status}: sign-in`);
    return answer.json().catch((cause: unknown) => {
      throw new Unavailable("GitHub: a sign-in's answer is no JSON", { cause });
    });
  };
  return {
    authorizeUrl: (state, challenge) => {
      const asked = { client_id: clientId, redirect_uri: redirectUri, state, allow_signup: "false" };
      const proof = { code_challenge: challenge, code_challenge_method: "S256" };
      return `${webUrl}/login/oauth/authorize?${new URLSearchParams({ ...asked, ...proof })}`;
    },
    loginOf: async (code, verifier) => {
      const body = new URLSearchParams({
        ...{ client_id: clientId, client_secret: clientSecret, code, redirect_uri: redirectUri },
        code_verifier: verifier,
      });
      // A bad code is answered with 200 and an error in the body.
      const given = await ask(`${webUrl}/login/oauth/access_token`, {
        ...{ method: "POST", body, headers: { accept: "application/json" } },
      });
      const token = fieldOf(given, "access_token");
      if (token === undefined) return undefined;
      const headers = { accept: "application/vnd.github+json", authorization: `Bearer ${token}` };
      return fieldOf(await ask(`${apiUrl}/user`, { headers }), "login");
    },
  };
}

function fieldOf(answer: unknown, name: string): string | undefined {
  const value = (answer as Readonly<Record<string, unknown>> | null)?.[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
