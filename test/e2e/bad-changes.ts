import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { passCi, approve, approver, pullOpened } from "../../src/lab/scenario.ts";
import { until } from "../../src/lab/start.ts";
import { missingImage } from "./kubelet.ts";
import type { RealRun } from "./real-run.ts";
import { stockRules } from "./stock-rules.ts";
import type { RealScenario } from "./scenarios.ts";

/*
 * Three faults of the catalogue (`test/faults-atlas`) on the real API server: somebody commits what cannot work, a stock
 * alert tells of it, and the commit is reverted.
 */

const base = "manifests/shop/base";
const webFile = `${base}/web.yaml`;
const kustomization = `${base}/kustomization.yaml`;

interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const image: Edit = { file: webFile, from: "ghcr.io/rectify-lab/shop-web:1.14.2", to: missingImage };
const selector: Edit = {
  file: webFile,
  from: "  selector:\n    app: web\n  ports:",
  to: "  selector:\n    app: web-frontend\n  ports:",
};
const key: Edit = { file: kustomization, from: "- CURRENCY=EUR", to: "- CURRENCIES=EUR" };

const untold = "what a kubelet says of a pod is an event, and a Service's endpoints are in no series";
const { podNotReady, targetDown } = stockRules();
// What stands in the base reaches the other environment, too.
const guardrails = { namespaces: ["shop-production", "shop-staging"] };
const recovered = { ending: "recovered", pulls: 1, recovered: true } as const;

export const badChanges: Readonly<Record<string, RealScenario>> = {
  "wrong-image": {
    about: "a release names an image that no registry has; the stock alert names the pod that waits",
    engines: ["flux"],
    ...{ quickAlert: podNotReady, notInThePast: untold, guardrails, expected: recovered },
    run: (run) => commitAndRevert(run, "Release web 1.15.0", image),
    check: (run) => reverted(run, image),
  },
  "wrong-selector": {
    about: "a Service selects pods that are not there; the stock alert names the Service",
    engines: ["argocd"],
    ...{ quickAlert: targetDown, notInThePast: untold, guardrails, expected: recovered },
    run: (run) => commitAndRevert(run, "Select web by its component", selector),
    check: (run) => reverted(run, selector),
  },
  "missing-key": {
    about: "a key of a generated ConfigMap is renamed, and the pods still ask for it",
    engines: ["flux"],
    files: withCurrency(),
    ...{ quickAlert: podNotReady, notInThePast: untold, guardrails, expected: recovered },
    run: (run) => commitAndRevert(run, "Rename the currency key", key),
    check: (run) => reverted(run, key),
  },
};

/** The shop with a ConfigMap that is generated, and of which web reads one key. */
function withCurrency(): Readonly<Record<string, string>> {
  const generator = "configMapGenerator:\n  - name: web-config\n    literals:\n      - CURRENCY=EUR\n";
  const reference = ["configMapKeyRef:", "  name: web-config", "  key: CURRENCY"];
  const variable = ["- name: CURRENCY", "  valueFrom:", ...reference.map((line) => `    ${line}`)];
  const logLevel = "            - name: LOG_LEVEL\n              value: info\n";
  const lines = variable.map((line) => `            ${line}\n`).join("");
  return {
    [kustomization]: `${shipped(kustomization).trimEnd()}\n${generator}`,
    [webFile]: edited(shipped(webFile), { file: webFile, from: logLevel, to: logLevel + lines }),
  };
}

function shipped(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
}

function edited(text: string, { file, from, to }: Edit): string {
  if (text.split(from).length !== 2) throw new Error(`${file} does not have ${JSON.stringify(from)} once`);
  return text.replace(from, to);
}

async function commitAndRevert(run: RealRun, message: string, edit: Edit): Promise<void> {
  const text = (await run.forge.files("main"))[edit.file] ?? "";
  run.say(approver, `commits "${message}"`);
  await run.forge.push({ [edit.file]: edited(text, edit) }, { message, author: approver });
  await until("a pull request", () => run.forge.pulls()[0], 90_000);
  const pull = await pullOpened(run, 1);
  await passCi(run, pull);
  await approve(run, pull);
}

/** The commit is reverted, all of it and nothing else. */
async function reverted({ forge }: RealRun, { file, from, to }: Edit): Promise<readonly string[]> {
  const text = (await forge.files("main"))[file] ?? "";
  return text.includes(from) && !text.includes(to) ? [] : [`${file} is not as it was before the commit`];
}
