import { Refused } from "../../ports/errors.ts";

/** What is known of where the repository is cloned from. */
interface CloneSources {
  readonly apiUrl: string;
  /** `clone_url` as the API gives it. */
  readonly reported: string;
  /** GITHUB_CLONE_URL, where people set one. */
  readonly given: string | undefined;
}

/**
 * Where git fetches from. The installation token goes along, so it is the address that GitHub's API itself gives, on no
 * other host, and never without TLS where the API has it. Throws `Refused` with the fix.
 */
export function cloneAddress({ apiUrl, reported, given }: CloneSources): string {
  const own = addressIn(reported);
  if (own === undefined) throw new Refused("GitHub gives no clone address for the repository");
  if (own.protocol !== "https:" && new URL(apiUrl).protocol === "https:") {
    throw new Refused(
      `GitHub's API is asked over https, but it gives the clone address ${own.href}: enable TLS for git`,
    );
  }
  if (given === undefined) return own.href;
  const wanted = addressIn(given);
  if (wanted?.origin === own.origin) return wanted.href;
  throw new Refused(
    `GITHUB_CLONE_URL is not on ${own.origin}, where GitHub's API says the repository is, and would be sent its token: unset it`,
  );
}

/** Without a user or password that somebody wrote into it. */
function addressIn(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const address = new URL(text);
  address.username = "";
  address.password = "";
  return ["http:", "https:"].includes(address.protocol) ? address : undefined;
}
