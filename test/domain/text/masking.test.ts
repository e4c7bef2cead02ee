import fc from "fast-check";
import { expect, test } from "vitest";
import { evidenceOf, type Finding } from "../../../src/domain/evidence/evidence.ts";
import { masked } from "../../../src/domain/text/masking.ts";

// Put together here so that no scanner of secrets takes the test for a leak.
const key = (...parts: string[]) => parts.join("");

test.each([
  ["password=hunter2 rest", "password=«masked» rest"],
  ['{"password":"a b","user":"x"}', '{"password":«masked»,"user":"x"}'],
  ['msg="{\\"token\\":\\"abc\\"}"', 'msg="{\\"token\\":«masked»}"'],
  ["DB_PASSWORD: s3cr3t", "DB_PASSWORD: «masked»"],
  ["spring.datasource.password = s3cr3t", "spring.datasource.password = «masked»"],
  ["client_secret=>abc, x", "client_secret=>«masked», x"],
  ["--api-key abc123 --verbose", "--api-key «masked» --verbose"],
  ["--db-password hunter2", "--db-password «masked»"],
  ["AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=«masked»"],
  ["AccountKey=abc==;EndpointSuffix=core", "AccountKey=«masked»;EndpointSuffix=core"],
  ["Authorization: Bearer abcdefghi", "Authorization: Bearer «masked»"],
  ["authorization=token abcdefghi", "authorization=token «masked»"],
  ['"Authorization":"Basic dXNlcjpw"', '"Authorization":"Basic «masked»"'],
  ["sent bearer abcdefghij to x", "sent bearer «masked» to x"],
  ["Set-Cookie: sid=1; Path=/", "Set-Cookie: «masked»"],
  ["postgres://u:p@ss@db:5432/x", "postgres://«masked»@db:5432/x"],
  ["https://x-access-token:abc@github.example/o/r", "https://«masked»@github.example/o/r"],
  ["GET /x?sig=abc&y=1", "GET /x?sig=«masked»&y=1"],
  ["CREATE USER a IDENTIFIED BY 'pw'", "CREATE USER a IDENTIFIED BY «masked»"],
  ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- rest", "«masked» rest"],
  ["-----BEGIN PRIVATE KEY-----\\nMIIE cut", "«masked»"],
])("%j becomes %j", (text, expected) => {
  expect(masked(text).text).toBe(expected);
  expect(masked(text).masks).toBe(1);
});

test.each([
  ["a JSON web token", key("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0In0", ".abc-DEF_123")],
  ["GitHub", key("ghp", "_0123456789abcdefABCDEF0123456789abcd")],
  ["GitHub, fine-grained", key("github", "_pat_11ABCDEFG0123456789_abcdefghij")],
  ["GitLab", key("glpat", "-abcdefghij0123456789")],
  ["AWS", key("AKIA", "IOSFODNN7EXAMPLE")],
  ["Slack", key("xoxb", "-123456789012-abcdefghijkl")],
  ["Slack's hook", key("https://hooks.slack", ".com/services/T000/B000/XXXX")],
  ["Google", key("AIza", "SyA0123456789abcdefghijklmnopqrstuv")],
  ["Stripe", key("sk", "_live_0123456789abcdef")],
  ["npm", key("npm", "_0123456789abcdefghijABCDEFGHIJ012345")],
  ["Vault", key("hvs", ".CAESIJ0123456789abcdef")],
  ["SendGrid", key("SG", ".0123456789abcdef.0123456789abcdef")],
  ["a long random text", "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MEFCQ0RFRkdISUpLTE1OT1A="],
])("a key of %s does not stay, wherever it stands", (_whose, secret) => {
  for (const text of [secret, `got ${secret}, sorry`, `{"x":"${secret}"}`]) {
    expect(masked(text).text).not.toContain(secret);
    expect(masked(text).masks).toBeGreaterThan(0);
  }
});

test.each([
  "commit 3ab4397aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "image registry.example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "token expired, please log in",
  "the secret is not found",
  "max_tokens: 5 and tokens per second: 7",
  "token=null, password: true, secret=${SECRET}",
  "http://web.shop.svc.cluster.local:8080/healthz",
  "checks pass: 3 of 3",
  "user jane@shop.example placed order 12",
  "6ae2f692-f019-5e8d-955a-aff3274d06fd",
  "pod web-7f9c8d6b5-x2x4z in shop-production",
])("%j is no secret", (text) => {
  expect(masked(text)).toEqual({ text, masks: 0 });
});

test("a cookie that is known by its form does not show those beside it", () => {
  const line = "set-cookie: sid=plainsecret; jwt=eyJabcdefgh.abcdefgh; gh=ghp_0123456789abcdefghij";
  expect(masked(line).text).toBe("set-cookie: «masked»");
});

test("masking twice changes nothing", () => {
  const words = fc.constantFrom(
    "password",
    "=",
    ":",
    " ",
    '"',
    "token",
    "hunter2",
    "ghp_0123456789abcdefghij",
    "://",
    "@",
    "\n",
    "Bearer ",
    "\\",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string({ maxLength: 5 })), { maxLength: 20 }), (parts) => {
      const once = masked(parts.join("")).text;
      expect(masked(once).text).toBe(once);
    }),
  );
});

test.each([
  "a.".repeat(50_000),
  "password".repeat(12_000),
  "a://".repeat(25_000),
  "A1b".repeat(40_000),
  "-----BEGIN PRIVATE KEY-----".repeat(4_000),
  "cookie:".repeat(15_000),
])(
  "a hostile text of 100 KB is masked without freezing (%#)",
  (text) => {
    expect(typeof masked(text).text).toBe("string");
  },
  2_000,
);

test.each<[string, Finding, string]>([
  ["log lines", { kind: "text", lines: ["password=hunter2"], notes: [] }, '"lines":["password=«masked»"]'],
  ["notes", { kind: "text", lines: [], notes: ["password=hunter2"] }, '"notes":["password=«masked»"]'],
  ["values of facts", { kind: "facts", facts: { url: "http://u:hunter2@x" }, notes: [] }, '"url":"http://«masked»@x"'],
  [
    "facts that are named like a secret",
    { kind: "facts", facts: { db_password: "hunter2", n: 1 }, notes: [] },
    '"db_password":"«masked»","n":1',
  ],
  [
    "labels",
    { kind: "series", unit: "", series: [{ labels: { q: "token=hunter2" }, points: [[1, 2]] }], notes: [] },
    '"labels":{"q":"token=«masked»"},"points":[[1,2]]',
  ],
  [
    "errors of sources",
    { kind: "missing", because: "GET http://u:hunter2@x failed" },
    '"because":"GET http://«masked»@x failed"',
  ],
])("evidence never holds a secret: %s", (_where, finding, shown) => {
  const range = { query: "q", from: "f", to: "t" };
  const item = evidenceOf("E1", { source: "loki", title: "t", ...range, finding });
  expect(JSON.stringify(item.finding)).toContain(shown);
  expect(JSON.stringify(item)).not.toContain("hunter2");
});
