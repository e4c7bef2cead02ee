/** What a stranger may send to a listener. All of it comes from one seed, so that a finding can be sent again. */
export interface Packet {
  readonly kind: "plain" | "pipelined" | "half-open" | "slow" | "noise";
  readonly bytes: Buffer;
}

/** Numbers from 0 up to 1 that look random and are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Request targets that an address parser may stumble over. */
export const oddTargets = [
  ...["//", "///", "//:80", "//?x", "/\\", "http://[", "\\\\", "/\\\\host", "//host:99999/", "http://", "http:///x"],
  ...[
    "*",
    "?",
    "#",
    "/#",
    "http://user:pw@/",
    "http://[::1",
    "https://%zz/",
    "javascript:alert(1)",
    "file:///etc/passwd",
  ],
  ...["/%", "/%zz", "/%00", "/incidents/%", "/incidents/%ff%fe", "/incidents//capsule", "/incidents/*/capsule"],
  ...[
    "/incidents/../../etc/passwd",
    "/..",
    "/./",
    "/alerts//",
    "//alerts",
    "/alerts?%",
    "/\u007f",
    "/a:b@c",
    "host:443",
  ],
];

const knownPaths = [
  ...["/", "/alerts", "/healthz", "/readyz", "/metrics", "/webhooks/github", "/memory", "/audit", "/system"],
  ...["/autonomy", "/incidents/0", "/incidents/x/capsule"],
];
const methods = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PURGE", "get", "G T"];
const headers = [
  ...["content-length: 0", "content-length: 5", "content-length: -1", "content-length: 99999999999999999999"],
  ...[
    "transfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    "content-encoding: gzip",
    "expect: 100-continue",
  ],
  ...[
    "expect: the-unexpected",
    "connection: upgrade",
    "upgrade: websocket",
    "connection: close",
    "authorization: Bearer",
  ],
  ...[
    "authorization: Basic ====",
    "authorization: Basic \u00ff\u00fe",
    "authorization:",
    "x-hub-signature-256: sha256=zz",
  ],
  ...["x-hub-signature-256: ", "x-github-delivery: \t", "x-github-event: __proto__", "content-type: application/json"],
  ...["host: [", "host: ", "host: a, b", ": empty", "no colon", "x: \u0001", `x: ${"y".repeat(20_000)}`],
];
const bodies = [
  "",
  "hello",
  "{",
  "0\r\n\r\n",
  "5\r\nhello\r\n0\r\n\r\n",
  "ffffffffffffffff\r\nx",
  "z\r\n",
  "[".repeat(5_000),
];

/** One packet. */
export function packetFrom(random: () => number): Packet {
  const kinds = ["plain", "plain", "plain", "pipelined", "half-open", "slow", "noise"] as const;
  const kind = pick(kinds, random);
  if (kind === "noise") return { kind, bytes: noise(random, 400) };
  const count = kind === "pipelined" ? 2 + Math.floor(random() * 6) : 1;
  const whole = Buffer.concat(Array.from({ length: count }, () => request(random)));
  const cut = kind === "half-open" ? Math.floor(random() * whole.length) : whole.length;
  return { kind, bytes: whole.subarray(0, cut) };
}

function request(random: () => number): Buffer {
  const path = pick(random() < 0.5 ? oddTargets : knownPaths, random);
  const target = random() < 0.2 ? mutated(path, random) : path;
  const version = random() < 0.9 ? "HTTP/1.1" : pick(["HTTP/1.0", "HTTP/2.0", "HTTP/", "X", ""], random);
  const lines = Array.from({ length: Math.max(0, Math.floor(random() * 6) - 3) }, () => pick(headers, random));
  const named = random() < 0.9 ? ["host: listener", ...lines] : lines;
  const head = [`${pick(random() < 0.6 ? ["GET", "POST"] : methods, random)} ${target} ${version}`, ...named].join(
    "\r\n",
  );
  return Buffer.from(`${head}\r\n\r\n${random() < 0.4 ? pick(bodies, random) : ""}`, "latin1");
}

function mutated(text: string, random: () => number): string {
  const at = Math.floor(random() * (text.length + 1));
  const piece = pick(["/", "\\", "[", "]", ":", "@", "%", "?", "#", "..", "\u00e9", "\u0080", "%2f", "%5b"], random);
  return text.slice(0, at) + piece + text.slice(at);
}

function noise(random: () => number, most: number): Buffer {
  return Buffer.from(Array.from({ length: 1 + Math.floor(random() * most) }, () => Math.floor(random() * 256)));
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}
