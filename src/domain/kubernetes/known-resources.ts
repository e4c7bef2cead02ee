/** The resources of Kubernetes 1.34 and of the controllers that Rectify edits for, by API group, with their versions. */
const known: Readonly<Record<string, { readonly versions: readonly string[]; readonly resources: readonly string[] }>> =
  {
    "": {
      versions: ["v1"],
      resources: [
        ...["pods", "services", "configmaps", "secrets", "namespaces", "nodes", "endpoints", "events", "limitranges"],
        ...["persistentvolumes", "persistentvolumeclaims", "podtemplates", "replicationcontrollers", "resourcequotas"],
        "serviceaccounts",
      ],
    },
    apps: {
      versions: ["v1"],
      resources: ["deployments", "statefulsets", "daemonsets", "replicasets", "controllerrevisions"],
    },
    batch: { versions: ["v1"], resources: ["jobs", "cronjobs"] },
    autoscaling: { versions: ["v1", "v2"], resources: ["horizontalpodautoscalers"] },
    policy: { versions: ["v1"], resources: ["poddisruptionbudgets"] },
    "networking.k8s.io": { versions: ["v1"], resources: ["ingresses", "ingressclasses", "networkpolicies"] },
    "rbac.authorization.k8s.io": {
      versions: ["v1"],
      resources: ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
    },
    "argoproj.io": {
      versions: ["v1alpha1"],
      resources: ["rollouts", "applications", "applicationsets", "appprojects", "analysistemplates", "analysisruns"],
    },
    "keda.sh": { versions: ["v1alpha1"], resources: ["scaledobjects", "scaledjobs", "triggerauthentications"] },
    "helm.toolkit.fluxcd.io": { versions: ["v2", "v2beta1", "v2beta2"], resources: ["helmreleases"] },
  };

/**
 * The first name in a rule that nothing can ever have: an unknown resource or version in groups that we know. A policy
 * with such a typing error judges nothing, and Kyverno says nothing. Groups that we do not know are believed.
 */
export function unknownName(rule: {
  readonly groups: readonly string[];
  readonly versions: readonly string[];
  readonly resources: readonly string[];
}): string | undefined {
  const groups = rule.groups.map((group) => (Object.hasOwn(known, group) ? known[group] : undefined));
  if (groups.some((group) => group === undefined)) return undefined;
  const resource = rule.resources
    .filter((name) => !name.includes("*"))
    .find((name) => !groups.some((group) => group?.resources.includes(name.split("/")[0] ?? "")));
  const version = rule.versions.some((name) => name === "*" || groups.some((group) => group?.versions.includes(name)));
  return resource ?? (version ? undefined : rule.versions.join(", "));
}
