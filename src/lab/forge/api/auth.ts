import { createPublicKey, createVerify, randomBytes } from "node:crypto";
import type { Caller } from "../http.ts";
import { Problem } from "../http.ts";
import type { ForgeApp } from "../world.ts";

export interface Tokens {
  /** A fresh installation token and its end (RFC 3339). */
  issue(): { readonly token: string; readonly expires_at: string };
  /** A token for fetching that is good for at least half its life. */
  current(): string;
  /** Throws 401 for credentials that are wrong; no credentials are `nobody`. */
  callerOf(authorization: string | undefined): "nobody" | Exclude<Caller["kind"], "nobody">;
  revokeAll(): void;
}

const tokenLifeMs = 60 * 60 * 1000;

/** The App's JWTs and the installation tokens that they buy. */
export function tokensOf(app: ForgeApp, now: () => Date): Tokens {
  const publicKey = createPublicKey(app.privateKeyPem);
  const alive = new Map<string, number>();
  const issue = () => {
    const token = `ghs_${randomBytes(18).toString("hex")}`;
    const end = now().getTime() + tokenLifeMs;
    alive.set(token, end);
    return { token, expires_at: `${new Date(end).toISOString().slice(0, 19)}Z` };
  };
  let fetching = "";
  return {
    issue,
    current: () => {
      const left = (alive.get(fetching) ?? 0) - now().getTime();
      if (left < tokenLifeMs / 2) fetching = issue().token;
      return fetching;
    },
    callerOf: (authorization) => {
      if (authorization === undefined) return "nobody";
      const credential = credentialOf(authorization);
      if ((alive.get(credential) ?? 0) > now().getTime()) return "installation";
      if (credential.split(".").length !== 3) throw new Problem(401, "Bad credentials");
      checkJwt(credential, app, { publicKey, now: now() });
      return "app";
    },
    revokeAll: () => alive.clear(),
  };
}

// `token x`, `Bearer x`, or Basic with the token as password.
function credentialOf(authorization: string): string {
  const [scheme = "", value = ""] = authorization.split(" ");
  if (scheme.toLowerCase() !== "basic") return value;
  return Buffer.from(value, "base64").toString().split(":").slice(1).join(":");
}

function checkJwt(
  jwt: string,
  app: ForgeApp,
  { publicKey, now }: { publicKey: ReturnType<typeof createPublicKey>; now: Date },
): void {
  const [header = "", payload = "", signature = ""] = jwt.split(".");
  const verifier = createVerify("RSA-SHA256").update(`${header}.${payload}`);
  if (!verifier.verify(publicKey, signature, "base64url")) {
    throw new Problem(401, "A JSON web token could not be decoded");
  }
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as {
    iss?: unknown;
    exp?: number;
    iat?: number;
  };
  const seconds = now.getTime() / 1000;
  if (String(claims.iss) !== String(app.id)) throw new Problem(404, "Integration not found");
  if ((claims.exp ?? 0) < seconds) {
    throw new Problem(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  // GitHub refuses more than ten minutes; clocks may differ a little.
  if ((claims.exp ?? 0) > seconds + 660)
    throw new Problem(401, "'Expiration time' claim ('exp') is too far in the future");
}
