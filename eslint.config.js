import { dirname, relative, resolve } from "node:path";
import tseslint from "typescript-eslint";

// Types for lint cost most of its time: RECTIFY_LINT=fast leaves out the rules that need them.
const typed = process.env.RECTIFY_LINT !== "fast";

/** Which layers a layer may import from. Only main.ts and cli.ts know everything. */
export const layers = {
  domain: ["domain"],
  manifests: ["domain", "manifests"],
  ports: ["domain", "manifests", "ports"],
  settings: ["domain", "ports", "settings"],
  flow: ["domain", "manifests", "ports", "flow"],
  adapters: ["domain", "manifests", "ports", "adapters"],
  server: ["domain", "manifests", "ports", "settings", "flow", "adapters", "server"],
  commands: ["domain", "manifests", "ports", "settings", "flow", "adapters", "server", "commands"],
  lab: ["domain", "manifests", "ports", "settings", "flow", "adapters", "server", "main.ts", "lab"],
};

/** Ground first: a room may use itself and those before it. Rooms that are not named may use what the layer may. */
export const rooms = {
  domain: [
    "text",
    "kubernetes",
    "incident",
    "evidence",
    "root-cause",
    "guardrails",
    "remedy",
    "llm",
    "backtest",
    "proposal",
    "records",
    "gate",
  ],
  manifests: ["yaml", "repository", "gitops", "trace", "helm", "edit", "locate"],
  flow: [
    "collect",
    "recall.ts",
    "diagnose",
    "plan",
    "gate",
    "propose",
    "decide",
    "sync.ts",
    "verify.ts",
    "learn.ts",
    "workflows",
    "jobs",
  ],
  adapters: [
    "http",
    "cli-tools",
    "git-mirror.ts",
    "postgres",
    "dbos",
    "github",
    "kubernetes",
    "monitoring",
    "memory",
    "ollama",
    "telemetry",
    "past",
  ],
  server: [
    "observability",
    "github-app.ts",
    "routes.ts",
    "policy-engine.ts",
    "intake",
    "inbox.ts",
    "executor.ts",
    "jobs",
    "pages",
    "listeners.ts",
    "several",
    "concerns.ts",
  ],
  commands: [
    "told.ts",
    "why-not.ts",
    "repository",
    "records",
    "doctor",
    "backtest",
    "install",
    "setup",
    "serve-part.ts",
    "serve.ts",
  ],
  lab: [
    "model",
    "cluster",
    "forge",
    "printer.ts",
    "start.ts",
    "scenario.ts",
    "repository.ts",
    "world.ts",
    "faults",
    "scenarios",
    "run.ts",
    "lab.ts",
  ],
};

/** Rooms that stand beside the order: what they may use of their own layer. */
export const beside = {
  "manifests/charts": ["charts", "yaml", "repository", "gitops", "trace", "helm", "edit", "arrival"],
  "manifests/arrival": ["arrival", "yaml", "repository", "gitops", "trace", "helm"],
  "manifests/render": ["render", "yaml", "repository", "gitops"],
};

/** Why `from` may not import `to`, both below src/; undefined = it may. */
export function wallBetween(from, to) {
  const [layer, room] = from.split("/");
  const [otherLayer, otherRoom] = to.split("/");
  if (!(layer in layers)) return undefined;
  if (!layers[layer].includes(otherLayer)) return `${layer}/ must not look up: ${otherLayer} lies above it`;
  if (layer !== otherLayer) return undefined;
  const own = beside[`${layer}/${room}`];
  if (own && !own.includes(otherRoom)) return `${layer}/${room} may use ${own.join(", ")} only`;
  const order = rooms[layer] ?? [];
  const [here, there] = [order.indexOf(room), order.indexOf(otherRoom)];
  return here !== -1 && there > here ? `${layer}/${room} comes before ${otherRoom}: it must not use it` : undefined;
}

const source = resolve(import.meta.dirname, "src");
const walls = {
  create: (context) => {
    const check = (node) => {
      const name = node.source?.value;
      if (typeof name !== "string" || !name.startsWith(".")) return;
      const message = wallBetween(
        relative(source, context.filename),
        relative(source, resolve(dirname(context.filename), name)),
      );
      if (message) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
};

/** An arrow function that looks at no error and answers with a value of its own: `() => undefined`, `() => []`, `() => {}`. */
function invents(handler) {
  if (handler?.type !== "ArrowFunctionExpression" && handler?.type !== "FunctionExpression") return false;
  if (handler.params.length > 0) return false;
  const { body } = handler;
  if (body.type !== "BlockStatement") return !["CallExpression", "AssignmentExpression"].includes(body.type);
  return body.body.every((statement) => statement.type === "ReturnStatement");
}

/** True when the node waits for something itself, not in a function inside of it. */
function waits(node) {
  if (node === null || typeof node !== "object") return false;
  if (Array.isArray(node)) return node.some(waits);
  if (node.type === "AwaitExpression") return true;
  if (/Function/.test(node.type ?? "")) return false;
  return Object.entries(node).some(([key, value]) => key !== "parent" && waits(value));
}

// Who answers for a failure that nobody looked at swallows our own bugs with the silence of others. fetch itself is no
// port: it throws what it likes.
const failures = {
  create: (context) => {
    const fetches = (node) => /\bfetch\(/.test(context.sourceCode.getText(node));
    const message = "an answer made up for any failure swallows our own bugs: known() of ports/errors.ts lets them pass";
    return {
      CallExpression: (node) => {
        const name = node.callee.type === "MemberExpression" ? node.callee.property.name : undefined;
        const handler = name === "catch" ? node.arguments[0] : name === "then" ? node.arguments[1] : undefined;
        if (invents(handler) && !fetches(node.callee)) context.report({ node: handler, message });
      },
      CatchClause: (node) => {
        if (node.param === null && waits(node.parent.block) && !fetches(node.parent.block)) context.report({ node, message });
      },
    };
  },
};

const clock = [
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: "now comes in as an argument" },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: "now comes in as an argument" },
];
const chance = {
  selector: "MemberExpression[object.name='Math'][property.name='random']",
  message: "ids and chance come in as arguments",
};

/** Layers without a vendor, a clock, chance or an environment: values in, values out. */
const pure = (name, vendors) => ({
  files: [`src/${name}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          // Every bare import that is not named is a vendor's; node:crypto hashes and node:path are pure.
          {
            regex: `^(?!\\.)(?!(?:${[...vendors, "node:crypto", "node:path"].join("|")})$)`,
            message: `${name}/ imports no vendor and nothing of the machine`,
          },
        ],
      },
    ],
    "no-restricted-globals": [
      "error",
      "process",
      "fetch",
      "setTimeout",
      "setInterval",
      "setImmediate",
      "performance",
      "crypto",
    ],
    "no-restricted-syntax": ["error", ...clock, chance],
  },
});

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", ".rectify/", "coverage/", "test/tools/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.base],
    languageOptions: typed ? { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } : {},
    plugins: { rectify: { rules: { walls, failures } } },
    rules: {
      "rectify/walls": "error",
      "max-depth": ["error", 3],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: false, skipComments: false }],
      "max-lines": ["error", { max: 300, skipBlankLines: false, skipComments: false }],
      "max-params": ["error", 4],
      complexity: ["error", 20],
      "no-else-return": "error",
      "no-console": "error",
      eqeqeq: ["error", "smart"],
      "prefer-const": "error",
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      ...(typed && {
        "@typescript-eslint/no-floating-promises": "error",
        "@typescript-eslint/no-misused-promises": "error",
        "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      }),
    },
  },
  {
    files: ["test/**/*.ts", "*.config.ts"],
    rules: { "max-lines-per-function": "off", "max-lines": "off", "no-restricted-exports": "off" },
  },
  { files: ["test/bench/**/*.ts", "src/cli.ts"], rules: { "no-console": "off" } },
  pure("domain", ["zod"]),
  pure("manifests", ["js-yaml", "zod"]),
  pure("flow", ["zod"]),
  // There everything that is waited for is a port; what is a vendor's says so where it stands.
  {
    files: ["src/{flow,server,commands}/**/*.ts", "src/adapters/telemetry/**/*.ts", "src/main.ts"],
    rules: { "rectify/failures": "error" },
  },
  // There the clock is a port: a job that reads its own clock cannot be tested on an injected one.
  { files: ["src/server/jobs/**/*.ts"], rules: { "no-restricted-syntax": ["error", ...clock] } },
);
