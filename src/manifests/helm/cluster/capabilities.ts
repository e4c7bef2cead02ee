import type { ChartBuild, ChartTools } from "../../../domain/kubernetes/rendered.ts";
import { actionsIn, bytesOf, isTemplate, operandEnd, textOf, unpacked } from "./template-actions.ts";

/** What a chart asks about the cluster that it is for. */
interface Asked {
  /** The version of Kubernetes. */
  readonly version: boolean;
  /** Every API that may be asked for, where any is. */
  readonly apis: readonly string[] | undefined;
  /** A template that asks in a way that cannot be followed. */
  readonly odd: string | undefined;
  /** How many APIs the chart names, where Helm cannot be told of all of them. */
  readonly many: number | undefined;
}

/** The same build as other clusters would make it. */
export interface Otherwise {
  /** For people. */
  readonly cluster: string;
  /** The first that renders counts: a chart that fails in a cluster is not installed there. */
  readonly builds: readonly ChartBuild[];
}

// What is supported and what may come: Helm is told one between them.
const versions = { oldest: ["1.25.0", "1.29.0"], newest: "1.40.0" };

/** The builds for clusters that answer otherwise; none for a chart that asks nothing. */
export function otherwise(
  build: ChartBuild,
  unpack: ChartTools["unpack"],
): { readonly builds: readonly Otherwise[]; readonly odd?: string; readonly many?: number } {
  const files = unpacked(build.files, unpack);
  // A packed subchart that cannot be read cannot be rendered either.
  if (files === undefined) return { builds: [] };
  const texts = new Map([...files].map(([path, bytes]) => [path, textOf(bytes)]));
  const { version, apis, odd, many } = askedIn(texts, build.values);
  if (many !== undefined) return { builds: [], many };
  if (!version && apis === undefined) return { builds: [], ...(odd === undefined ? {} : { odd }) };
  const without = apis === undefined ? build.files : new Map([...files].map(withoutApis));
  const more: ChartBuild = {
    ...build,
    ...(apis === undefined ? {} : { files: new Map([...files].map(withMadeNames)) }),
    ...(version ? { kubeVersion: versions.newest } : {}),
    ...(apis === undefined ? {} : { apiVersions: apis }),
  };
  const old = version ? versions.oldest.map((kubeVersion) => ({ ...build, files: without, kubeVersion })) : [];
  const less = apis === undefined ? [] : [{ ...build, files: without }];
  const builds = [
    { cluster: "a newer cluster, or one with more APIs,", builds: [more] },
    { cluster: "an older cluster, or one with fewer APIs,", builds: [...old, ...less] },
  ];
  return { builds, ...(odd === undefined ? {} : { odd }) };
}

const groupVersion = /(?<![\w./-])(?:[a-z0-9][a-z0-9.-]*\/)?v\d+(?:(?:alpha|beta)\d+)?(?:\/[A-Z]\w*)?(?![\w./-])/g;
// What one call of Helm is told. Of the charts of three public repositories none names more than 43 by itself.
const mostApis = 500;

function askedIn(texts: ReadonlyMap<string, string>, values: readonly string[]): Asked {
  const templates = [...texts].filter(([path]) => isTemplate(path));
  const isRead = ([path, text]: readonly [string, string]) => text.includes("{{") && !path.endsWith(".md");
  const all = [...[...texts].filter(isRead).map(([, text]) => text), ...values];
  const version = all.some((text) => /KubeVersion/.test(text));
  const isAsked = all.some((text) => text.includes("APIVersions"));
  const others = [...texts].filter(([path]) => !isTemplate(path));
  const named = [...[...templates, ...others].map(([, text]) => text), ...values].flatMap(
    (text) => text.match(groupVersion) ?? [],
  );
  const odd = templates.find(([, text]) => text.includes("APIVersions") && [...actionsIn(text)].some(isOdd));
  const apis = isAsked ? [...new Set(named)] : undefined;
  const many = apis !== undefined && apis.length > mostApis ? apis.length : undefined;
  return { version, apis, odd: odd?.[0], many };
}

/** Looks through all APIs, or is handed the name of one. */
const isOdd = ({ words }: { readonly words: string }): boolean =>
  /\.APIVersions(?!\w|\.Has(?!\w))/.test(words.replace(/:?=\s*[\w.$]*\.APIVersions\s*-?$/, "")) ||
  /\|\s*[\w.$]*\.Has(?!\w)/.test(words);

// Every cluster has these.
const everywhere =
  /^(?:v1|(?:apps|batch|policy|autoscaling|(?:networking|storage|scheduling|coordination|discovery|apiextensions|admissionregistration|rbac\.authorization)\.k8s\.io)\/v1|autoscaling\/v2)(?:\/[A-Z]\w*)?$/;

/** The template as in a cluster that has none of the APIs for which it asks by name. */
function withoutApis([path, bytes]: readonly [string, Uint8Array]): readonly [string, Uint8Array] {
  if (!isTemplate(path)) return [path, bytes];
  const text = textOf(bytes);
  const less = text.replace(/(\.Has\s+)(?:"([^"]*)"|`([^`]*)`)/g, (whole, has: string, one?: string, other?: string) =>
    everywhere.test(one ?? other ?? "") ? whole : `${has}${nowhere}`,
  );
  const none = namesMade(less, nowhere);
  return [path, none === text ? bytes : bytesOf(none)];
}

const nowhere = '"none.invalid/v1"';

/** The template as in a cluster that has every API whose name it makes. */
function withMadeNames([path, bytes]: readonly [string, Uint8Array]): readonly [string, Uint8Array] {
  const text = isTemplate(path) ? textOf(bytes) : "";
  const all = namesMade(text, '"v1"');
  return [path, all === text ? bytes : bytesOf(all)];
}

/** A text where each call that makes the name of an API is that name. */
function namesMade(text: string, name: string): string {
  const call = /\.Has\s+(?=\()/g;
  let result = "";
  let done = 0;
  for (let found = call.exec(text); found; found = call.exec(text)) {
    result += text.slice(done, call.lastIndex) + name;
    done = operandEnd(text, call.lastIndex);
    call.lastIndex = done;
  }
  return result + text.slice(done);
}
