/**
 * Makes faiss-node from source and links it into node_modules: `npm run build:faiss`.
 *
 * The package wants to download a ready binary when it is installed; here it never does: its install script does not
 * run, and the addon is compiled against Debian's libfaiss-dev with the node headers of this machine. The result is kept
 * under ${RECTIFY_TOOLS:-~/.cache/rectify/tools}/<hash>, where the hash covers this script, Node and the libraries.
 * Without it the memory works all the same, by a plain scan.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

const version = "0.5.1";
// OpenBLAS is not needed to link, but training on the reference BLAS takes twenty times as long.
const debian = ["g++", "libfaiss-dev", "libopenblas0-pthread"];

// Debian's 1.7.3 has the id type inside Index; the package is written for 1.7.4, which has it outside.
const bridge = "#include <faiss/Index.h>\nnamespace faiss { using idx_t = Index::idx_t; }\n";

// Debian's library is made for every x86-64 machine, and its two distance loops are scalar there: one float after the
// other, ten times slower than the machine can. These take their place, in the best version the machine has.
const kernel = `#include <cstddef>
#ifdef __x86_64__
#define EACH __attribute__((target_clones("arch=haswell", "default")))
#else
#define EACH
#endif
namespace faiss {
EACH float fvec_L2sqr(const float* x, const float* y, size_t d) {
  float sum = 0;
  for (size_t i = 0; i < d; i++) { const float t = x[i] - y[i]; sum += t * t; }
  return sum;
}
EACH float fvec_inner_product(const float* x, const float* y, size_t d) {
  float sum = 0;
  for (size_t i = 0; i < d; i++) sum += x[i] * y[i];
  return sum;
}
}
`;
const replaced = ["_ZN5faiss10fvec_L2sqrEPKfS1_m", "_ZN5faiss18fvec_inner_productEPKfS1_m"];

function main(): void {
  installDebianPackages();
  const hash = createHash("sha256")
    .update(readFileSync(new URL(import.meta.url)))
    .update([process.versions.modules, process.arch, ...debian.map(versionOf)].join(" "))
    .digest("hex")
    .slice(0, 16);
  const tools = process.env.RECTIFY_TOOLS ?? join(homedir(), ".cache/rectify/tools");
  const home = join(tools, hash);
  const built = join(home, "faiss-node");
  if (!existsSync(join(built, "build/Release/faiss-node.node"))) {
    mkdirSync(tools, { recursive: true });
    const work = mkdtempSync(join(tools, "building-faiss-"));
    try {
      build(work);
      rmSync(home, { recursive: true, force: true });
      renameSync(work, home);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  prove(built);
  link(built);
  process.stdout.write(`faiss-node ${version}: ${built}\n`);
}

function installDebianPackages(): void {
  const missing = debian.filter((name) => versionOf(name) === "");
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`install these Debian packages first: ${missing.join(" ")}`);
  const install = () => run("apt-get", ["install", "-y", "--no-install-recommends", ...missing], "/");
  try {
    install();
  } catch {
    run("apt-get", ["update"], "/");
    install();
  }
}

/** The installed version of a Debian package; empty when it is not installed. */
function versionOf(name: string): string {
  try {
    const said = execFileSync("dpkg-query", ["-W", "-f", "${db:Status-Status} ${Version}", name], { stdio: ["ignore", "pipe", "ignore"] });
    const [status, installed] = said.toString().split(" ");
    return status === "installed" && installed ? installed : "";
  } catch {
    return "";
  }
}

function build(work: string): void {
  writeFileSync(join(work, "package.json"), '{ "private": true }\n');
  run("npm", ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", `faiss-node@${version}`, "node-addon-api@6.1.0", "bindings@1.5.0"], work);
  // Beside node_modules, and with it in reach: `bindings` is looked up from the package's real place.
  const built = join(work, "faiss-node");
  renameSync(join(work, "node_modules/faiss-node"), built);
  writeFileSync(join(work, "bridge.h"), bridge);
  mkdirSync(join(built, "build/Release"), { recursive: true });
  writeFileSync(join(work, "kernel.cc"), kernel);
  // The order of additions may change: that is what lets the compiler use the wide registers.
  const reordering = ["-fassociative-math", "-fno-signed-zeros", "-fno-trapping-math", "-fno-math-errno"];
  run("g++", ["-std=c++17", "-O3", ...reordering, "-fPIC", "-c", "kernel.cc", "-o", "kernel.o"], work);
  const library = execFileSync("g++", ["-print-file-name=libfaiss.a"]).toString().trim();
  run("objcopy", [...replaced.map((symbol) => `--weaken-symbol=${symbol}`), library, "libfaiss-weak.a"], work);
  run(
    "g++",
    [
      ...["-std=c++17", "-O2", "-fPIC", "-shared", "-DNAPI_VERSION=8", "-DNAPI_CPP_EXCEPTIONS"],
      ...["-DNODE_GYP_MODULE_NAME=faiss_node", "-include", "bridge.h"],
      ...[`-I${nodeHeaders()}`, "-Inode_modules/node-addon-api"],
      ...[join(built, "src/faiss.cc"), "kernel.o", "libfaiss-weak.a", "-lblas", "-llapack", "-lgomp"],
      ...["-o", join(built, "build/Release/faiss-node.node")],
    ],
    work,
  );
  for (const part of ["libfaiss-weak.a", "kernel.o"]) rmSync(join(work, part));
}

function nodeHeaders(): string {
  const places = [join(dirname(dirname(process.execPath)), "include/node"), "/usr/include/node", "/usr/local/include/node"];
  const found = places.find((place) => existsSync(join(place, "node_api.h")));
  if (found === undefined) throw new Error(`node_api.h is in none of ${places.join(", ")}: install the headers of Node ${process.version}`);
  return found;
}

/** A build that cannot find its nearest neighbour is worse than none. */
function prove(built: string): void {
  const script = `const { IndexFlatL2 } = require(${JSON.stringify(built)}); const index = new IndexFlatL2(2); index.add([0, 0, 3, 4]); const { labels, distances } = index.search([3, 3], 1); if (labels[0] !== 1 || distances[0] !== 1) process.exit(1);`;
  run(process.execPath, ["-e", script], "/");
}

function link(built: string): void {
  const place = resolve(import.meta.dirname, "../../node_modules/faiss-node");
  mkdirSync(dirname(place), { recursive: true });
  if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) rmSync(place, { recursive: true });
  symlinkSync(built, place);
}

function run(command: string, args: readonly string[], cwd: string): void {
  try {
    execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).slice(-2000) : "";
    throw new Error(`${command} ${args.slice(0, 3).join(" ")} failed: ${said}`, { cause: error });
  }
}

main();
