/** What people type most, by command: a call and what it is for. */
const examples: Readonly<Record<string, readonly (readonly [call: string, purpose: string])[]>> = {
  rectify: [
    ["rectify lab", "one incident from alert to verified recovery, nothing to set up"],
    ["rectify survey ~/src/gitops", "what Rectify could edit in a repository, offline"],
    ["rectify doctor", "is this installation right, and how to fix what is not"],
    ["rectify incidents --open", "what burns now"],
    ["rectify explain 12", "what led to pull request 12"],
  ],
  setup: [
    ["rectify setup", "asks what it cannot find"],
    ["rectify setup --yes --config setup.yaml", "for a script; a person registers the App in a browser"],
    ["rectify setup --set secrets=kubernetes", "Secret manifests for kubectl apply"],
  ],
  lab: [
    ["rectify lab", "the first incident"],
    ["rectify lab --scenario worse", "a change that makes it worse, and the revert"],
    ["rectify lab --keep", "leave the pages up until Ctrl-C"],
  ],
  incidents: [
    ["rectify incidents --open", "what burns now"],
    ["rectify incidents --since 7d --workload shop/", "a week of one namespace"],
    ["rectify incidents --state reverted --json", "for a script, one JSON object a line"],
  ],
  explain: [
    ["rectify explain 5b0c1f4e-9a3d-5c7e-8f21-2f6a3e1d0c4b", "by the Incident-UID of a commit's trailer"],
    ["rectify explain 12", "by the pull request"],
    ["rectify explain 6b02dd3", "by the commit that was merged"],
  ],
  audit: [
    ["rectify audit > audit.jsonl", "export everything; the chain is checked on the way"],
    ["rectify audit --incident UID", "who wrote what for one incident"],
    ["rectify audit --known HASH", "prove that an earlier export is still in the log"],
  ],
  survey: [
    ["rectify survey", "the repository of the current directory"],
    ["rectify survey ~/src/gitops --prove --json", "with every answer rendered, for a script"],
  ],
  backtest: [
    ["rectify backtest --days 30 --html report.html", "your own incidents, what Rectify would have done, and a page"],
    ["rectify backtest --repository ~/src/gitops --rate 5", "before anything is installed, gently"],
  ],
  locate: [["rectify locate shop/Deployment/web replicas=5", "the bytes that this change would edit"]],
  config: [
    ["rectify config init --namespace shop > .github/rectify.yml", "guardrails to begin with"],
    ["rectify config check", "what is wrong with them, with line and remedy"],
  ],
  memory: [["rectify memory search 'latency after a rollout'", "the nearest past incidents"]],
  deliveries: [["rectify deliveries replay --all", "try everything again that is parked"]],
  replay: [["rectify replay UID.capsule.json", "the same diagnosis again, offline"]],
  doctor: [["rectify doctor --json", "for a script: exit code 1 when a point is bad"]],
  serve: [["RECTIFY_REPOSITORY=acme/gitops … rectify serve", "every problem is named at once, each with its remedy"]],
};

/** The examples of a command as the last part of its help; empty where it has none. */
export function examplesOf(command: string): string {
  const known = examples[command] ?? [];
  const width = Math.max(0, ...known.map(([call]) => call.length));
  const lines = known.map(([call, purpose]) => `  ${call.padEnd(width)}  ${purpose}`);
  return lines.length === 0 ? "" : ["", "Examples:", ...lines].join("\n");
}
