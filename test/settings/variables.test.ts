import { expect, test } from "vitest";
import { Environment } from "../../src/settings/settings.ts";
import { inOurWords, unknownVariables } from "../../src/settings/variables.ts";

const known = Object.keys(Environment.shape);
const stray = (given: Record<string, string>) => unknownVariables(given, known);

test("a setting with one wrong letter is named with the one that was meant", () => {
  expect(stray({ LOKI_ULR: "x", PAGES_PROT: "1" })).toEqual([
    "LOKI_ULR: is not a setting: did you mean LOKI_URL?",
    "PAGES_PROT: is not a setting: did you mean PAGES_PORT?",
  ]);
});

test("variables of the machine, of Kubernetes and of other programs are nobody's mistake", () => {
  const others = [
    "PATH",
    "HOSTNAME",
    "PROMETHEUS_PORT",
    "LOKI_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "OLLAMA_MODELS",
  ];
  expect(stray(Object.fromEntries(others.map((name) => [name, "x"])))).toEqual([]);
});

test("one that reads like a setting which is set as well is somebody else's", () => {
  expect(stray({ LOKI_URI: "x", LOKI_URL: "http://loki" })).toEqual([]);
});

test.each([
  [{ POLL_MS: "soon" }, "must be a whole number of milliseconds above 0"],
  [{ POLL_MS: "1.5" }, "must be a whole number of milliseconds above 0"],
  [{ MOST_RECOVERIES: "0" }, "must be a whole number, 1 or more"],
  [{ GITHUB_WRITE_GAP_MS: "-1" }, "must be at least 0"],
  [{ GITHUB_WRITE_GAP_MS: "soon" }, "must be a number"],
  [{ PORT: "70000" }, "must be a port number, 0 to 65535"],
  [{ OLLAMA_MODEL: "" }, "must not be empty"],
  [{ APP_ID: "0" }, "must be a whole number: the id of the GitHub App, as the App's page shows it"],
])("what is wrong is said in our words, not in the validator's: %j", (given, words) => {
  const [name] = Object.keys(given);
  const { error } = Environment.safeParse(given, { error: inOurWords });
  expect(error?.issues.filter(({ path }) => path[0] === name).map(({ message }) => message)).toEqual([words]);
});
