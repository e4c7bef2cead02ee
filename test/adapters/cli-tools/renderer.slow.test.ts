import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../../../src/adapters/cli-tools/offline.ts";
import { renderer } from "../../../src/adapters/cli-tools/renderer.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { scratchDirectory } from "../../scratch.ts";

const where = (name: string) => {
  const { stdout } = spawnSync("bash", ["test/tools/build.sh", "--where", name], { encoding: "utf8" });
  return stdout.trim();
};
const [kustomize, helm] = [where("kustomize"), where("helm")];
const areThere = [kustomize, helm].every((path) => path !== "" && existsSync(path));
if (!areThere) process.stderr.write("Programs of a repository are not tried: there is no kustomize or no helm.\n");

/** A repository that brings a plugin of helm, which would be run to fetch a chart: it makes the file `ran`. */
function hostile(ran: string): Record<string, string> {
  const touch = `${"../".repeat(20)}usr/bin/touch ${ran}`;
  return {
    "app/kustomization.yaml": `helmGlobals: {configHome: evil}\nhelmCharts:\n  - {name: x, version: 1.0.0, releaseName: r, repo: "evil:${"a".repeat(1_200)}"}\n`,
    "app/evil/.data/plugins/e/plugin.yaml": `name: e\nversion: 0.1.0\nusage: x\ndescription: x\ncommand: ${touch}\ndownloaders:\n  - command: "${touch}"\n    protocols: [evil]\n`,
  };
}

test.skipIf(!areThere)("a program that a repository brings is never run", async () => {
  const ran = join(scratchDirectory(), "ran");
  const rendered = await renderer({ kustomize, helm, kubectl: null }).render(treeOf(hostile(ran)), {
    ...{ tool: "kustomize", path: "app" },
  });
  expect(rendered.kind).toBe("unsupported");
  expect(existsSync(ran)).toBe(false);
});

test.skipIf(!areThere)("not even where the files reach the tools: helm has no plugins", async () => {
  const root = scratchDirectory();
  const ran = join(root, "ran");
  for (const [path, text] of Object.entries(hostile(ran))) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const args = ["build", "--enable-helm", "--helm-command", helm, join(root, "app")];
  const built = await run({ name: "kustomize", path: kustomize }, args, {
    home: join(root, "app"),
    timeLimitMs: 60_000,
  });
  // It asked helm to fetch the chart, and helm knew nobody who could.
  expect(built).toMatchObject({ ok: false, because: expect.stringContaining("protocol handler") });
  expect(existsSync(ran)).toBe(false);
});

// Kustomize hands words of the repository to helm as they are, and one that begins like a flag is one.
const injecting = "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\nname: web\n";
const flag = "releaseName: --post-renderer=/bin/sh\n";
const inflating = "helmCharts: [{name: web, releaseName: web}]\n";
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");
const indented = (text: string) => text.replaceAll(/^/gm, "    ");

test.skipIf(!areThere).each<[string, Record<string, string | Uint8Array>]>([
  ["the name of a release", { "app/kustomization.yaml": `helmCharts: [{name: web, ${flag.trim()}}]\n` }],
  [
    "a generator in a list",
    {
      "app/kustomization.yaml": `${inflating}generators:\n- |\n  apiVersion: v1\n  kind: List\n  metadata: {name: all}\n  items:\n  -\n${indented(injecting + flag)}`,
    },
  ],
  [
    "a directory of generators in another encoding",
    {
      "app/kustomization.yaml": `${inflating}generators: [more]\n`,
      "app/more/kustomization.yaml": "resources: [x.yaml]\n",
      "app/more/x.yaml": utf16(injecting + flag),
    },
  ],
])("helm is given no flag by %s", async (_, files) => {
  const ran = join(scratchDirectory(), "ran");
  const encoder = new TextEncoder();
  const bytes = Object.entries(files).map(
    ([path, file]) => [path, typeof file === "string" ? encoder.encode(file) : file] as const,
  );
  const tree = treeOf({
    ...Object.fromEntries(bytes),
    "app/charts/web/Chart.yaml": encoder.encode("apiVersion: v2\nname: web\nversion: 0.1.0\n"),
    "app/charts/web/values.yaml": encoder.encode("a: 1\n"),
    "app/charts/web/templates/x.yaml": encoder.encode(
      `kind: X\napiVersion: v1\nmetadata: {name: x}\n"a": "$(echo ran > ${ran})"\n`,
    ),
  });
  const rendered = await renderer({ kustomize, helm, kubectl: null }).render(tree, { tool: "kustomize", path: "app" });
  expect(existsSync(ran)).toBe(false);
  expect(rendered.kind).toBe("unsupported");
});

const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n";
const real = () => renderer({ kustomize, helm, kubectl: null });

test.skipIf(!areThere)(
  "Kustomize follows links as it does in a checkout, and only among the files of the tree",
  async () => {
    const outside = join(scratchDirectory(), "secret.yaml");
    writeFileSync(outside, deployment);
    const files = {
      "base/kustomization.yaml": "resources: [web.yaml]\n",
      "base/web.yaml": deployment,
      "linked/kustomization.yaml": "resources: [here]\n",
      "stray/kustomization.yaml": "resources: [web.yaml]\n",
      "outside/kustomization.yaml": "resources: [web.yaml]\n",
      "up/kustomization.yaml": "resources: [web.yaml]\n",
    };
    const links = {
      "linked/here": "../chain",
      chain: "deep/er",
      "deep/er": "../base",
      "stray/web.yaml": "../base/web.yaml",
      "outside/web.yaml": outside,
      "up/web.yaml": `${"../".repeat(30)}${outside.slice(1)}`,
    };
    const at = (path: string) => real().render(treeOf(files, links), { tool: "kustomize", path });
    expect(await at("linked")).toMatchObject({ kind: "rendered", objects: [{ spec: { replicas: 2 } }] });
    // Kustomize itself refuses a file above the directory, also behind a link.
    expect(await at("stray")).toMatchObject({ because: expect.stringContaining("is not in or below") });
    expect((await at("outside")).kind).toBe("unsupported");
    expect((await at("up")).kind).toBe("unsupported");
  },
);

test.skipIf(!areThere)("words for helm are judged behind the name of a link, too", async () => {
  const files = {
    "app/kustomization.yaml": "helmCharts: [{name: web, releaseName: web}]\nresources: [more]\n",
    "app/more/words.txt": `helmCharts: [{name: web, ${flag.trim()}}]\n`,
    "app/charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
  };
  const tree = treeOf(files, { "app/more/kustomization.yaml": "words.txt", "app/more/charts": "../charts" });
  const rendered = await real().render(tree, { tool: "kustomize", path: "app" });
  expect(rendered).toMatchObject({ kind: "unsupported", because: expect.stringContaining("a chart with the word") });
});

test.skipIf(!areThere)("a chart with linked templates and values is templated as Helm reads a checkout", async () => {
  const files = {
    "apps/web.yaml":
      "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec: {source: {repoURL: x, path: charts/web}, destination: {namespace: shop}}\n",
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "shared/templates/web.yaml": deployment.replace("replicas: 2", "replicas: {{ .Values.count }}"),
    "shared/values.yaml": "count: 4\n",
  };
  const links = {
    "charts/web/templates": "../../shared/templates",
    "charts/web/values.yaml": "../../shared/values.yaml",
  };
  const entry = { tool: "argocd", path: "charts/web", object: "Application argocd/web" } as const;
  const rendered = await real().render(treeOf(files, links), entry);
  expect(rendered).toMatchObject({ kind: "rendered", objects: [{ spec: { replicas: 4 } }] });
  const broken = treeOf(files, { ...links, "charts/web/templates": "../../gone" });
  expect((await real().render(broken, entry)).kind).toBe("unsupported");
});
