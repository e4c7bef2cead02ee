/** A text without secrets, and how many were taken out. */
interface Masked {
  readonly text: string;
  readonly masks: number;
}

const mask = "«masked»";

// Names whose value is a secret, wherever they stand: in assignments, JSON, YAML, flags, headers, query strings.
const secretName =
  "(?:password|passwd|passphrase|\\bpwd|secret|token|(?:api|access|account|private|signing|encryption|shared|auth|master|storage)[_.-]?key(?:[_.-]?id)?|credentials?)";

/** What is a secret by its form alone. */
const forms: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  // JSON web tokens, with or without a signature.
  /\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?/g,
  /\bgithub_pat_\w{10,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{16,}/g,
  /\bgl(?:pat|ptt|soat|dt|rt|cbt|agent)-[\w-]{16,}/g,
  /\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b/g,
  /\bxox[a-z]-[\w-]{8,}|\bxapp-[\w-]{8,}/g,
  /\bhooks\.slack\.com\/(?:services|workflows)\/[\w/-]+/g,
  /\bdiscord(?:app)?\.com\/api\/webhooks\/[\w/-]+/g,
  /\bAIza[\w-]{30,}|\bya29\.[\w-]{10,}|\bGOCSPX-[\w-]{10,}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_\w{10,}|\bwhsec_\w{10,}/g,
  /\bsk-[\w-]{20,}/g,
  /\b(?:npm|hf|dop_v1|doo_v1|shpat|shpss|glsa|glc|lin_api|dckr_pat|pypi|sntrys|nvapi|tskey|fo1)[_-][\w=+/-]{16,}/g,
  /\bdapi[0-9a-f]{32}\b/g,
  /\bhv[sb]\.[\w-]{16,}/g,
  /\bSG\.[\w-]{10,}\.[\w-]{10,}/g,
  /\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/g,
  /\b\d{8,10}:AA[\w-]{32,}/g,
  /\bSK[0-9a-f]{32}\b/g,
];

// One pass over the text instead of one for each form.
const anyForm = new RegExp(forms.map(({ source }) => source).join("|"), "g");

// Its value is the rest of the line.
const cookie = /(\b(?:set-)?cookie\\?["']?\s*[:=]\s*\\?["']?)([^\r\n"']+)/gi;

/** What is a secret by what stands in front of it; the front stays readable. */
const fronts: readonly RegExp[] = [
  // scheme://user:password@host and scheme://token@host
  /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)([^\s/"'<>]{1,500})(?=@)/gi,
  /(\b(?:proxy-)?authorization\\?["']?\s*[:=]\s*\\?["']?(?:[a-z][\w-]*\s+)?)([^\s"',;\\]+)/gi,
  /(\b(?:bearer|basic)\s+)([\w.~+/=-]{8,})/gi,
  cookie,
  new RegExp(`(${secretName}\\\\?["']?\\s*(?:=>|:=|[:=])\\s*)(\\\\?"[^"]*"|'[^']*'|[^\\s"',;&)}\\]]+)`, "gi"),
  new RegExp(`(--(?:[a-z]+-){0,4}${secretName}\\s+)([^\\s-]\\S*)`, "gi"),
  /([?&](?:sig|signature|key|auth|code)=|\bpass=)([^\s&"']+)/gi,
  /(\b(?:identified by|password)\s+)('[^']+'|"[^"]+")/gi,
];

// Long random text: keys and their pieces, when a block was split into lines. Hashes in hex stay readable.
const long = /[A-Za-z0-9+/_-]{40,}={0,2}/g;

/** Takes secrets out of a text. Doing it twice changes nothing. */
export function masked(text: string): Masked {
  let masks = 0;
  const masking = () => {
    masks += 1;
    return mask;
  };
  let clean = text.replace(anyForm, masking);
  for (const front of fronts) {
    clean = clean.replace(front, (whole: string, kept: string, value: string) =>
      isMasked(front, value) || isPlainWord(value) ? whole : kept + masking(),
    );
  }
  clean = clean.replace(long, (value) => (looksRandom(value) ? masking() : value));
  return { text: clean, masks };
}

/** Of several cookies in a line one that was known by its form says nothing of the others. */
function isMasked(front: RegExp, value: string): boolean {
  return front === cookie ? value === mask : value.includes(mask);
}

/** `token=null` and `password: true` say something about a secret without being one. */
function isPlainWord(value: string): boolean {
  return /^["'\\]*(?:null|none|nil|undefined|true|false|empty|missing|invalid|expired|\*+|<[^>]*>|\$\{?\w+\}?)?["'\\]*$/i.test(
    value,
  );
}

function looksRandom(value: string): boolean {
  const count = (kind: RegExp) => value.match(kind)?.length ?? 0;
  return count(/[A-Z]/g) >= 3 && count(/[a-z]/g) >= 3 && count(/[0-9]/g) >= 3;
}

const secretKey = new RegExp(`${secretName}$`, "i");

/** The value of a named field without its secret: under a name that means one, only plain words stay. */
export function maskedField(key: string, value: string): string {
  return secretKey.test(key) && !isPlainWord(value) ? mask : masked(value).text;
}
