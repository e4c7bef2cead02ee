import { z } from "zod";

/** Where charts may come from, besides the repository. */
export interface ChartSettings {
  /** Hosts from which charts may be fetched; none = only charts of the repository are rendered. */
  readonly chartHosts?: readonly string[];
  /** Docker's and Helm's `config.json` with the logins of those hosts. */
  readonly chartCredentialsFile?: string | undefined;
  /** The Service of Flux's source-controller; absent = it is not asked. */
  readonly fluxSourceController?: { readonly namespace: string; readonly name: string } | undefined;
}

/** The variables by which they are told. */
export const chartVariables = {
  CHART_HOSTS: z.string().default(""),
  CHART_CREDENTIALS_FILE: z.string().startsWith("/", "must be an absolute path").optional(),
  FLUX_SOURCE_CONTROLLER: z
    .string()
    .regex(/^(?:off|[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9]*)$/, "must be namespace/name of a Service, or off")
    .default("flux-system/source-controller"),
};

interface Read {
  readonly CHART_HOSTS: string;
  readonly CHART_CREDENTIALS_FILE?: string | undefined;
  readonly FLUX_SOURCE_CONTROLLER: string;
}

/** The sources of charts of what was read. */
export function chartsOf(read: Read): ChartSettings {
  const [namespace, name] = read.FLUX_SOURCE_CONTROLLER.split("/");
  return {
    chartHosts: read.CHART_HOSTS.split(/[\s,]+/).filter((host) => host !== ""),
    chartCredentialsFile: read.CHART_CREDENTIALS_FILE,
    fluxSourceController: namespace === undefined || name === undefined ? undefined : { namespace, name },
  };
}
