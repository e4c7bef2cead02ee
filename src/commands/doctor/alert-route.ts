import { z } from "zod";

/** Whether an Alertmanager sends its alerts to us, by its own configuration. */
type AlertRoute =
  | { readonly kind: "routed"; readonly receiver: string; readonly url: string }
  /** A receiver has our address, and no route leads to it. */
  | { readonly kind: "unrouted"; readonly receiver: string }
  /** Newer versions hide the addresses of receivers: these may be ours or not. */
  | { readonly kind: "hidden"; readonly receivers: readonly string[] }
  | { readonly kind: "elsewhere" }
  | { readonly kind: "unreadable" };

interface Route {
  readonly receiver?: string | undefined;
  readonly routes?: readonly Route[] | undefined;
}

const Route: z.ZodType<Route> = z.object({
  receiver: z.string().optional(),
  get routes() {
    return z.array(Route).optional();
  },
});

const Configuration = z.object({
  route: Route,
  receivers: z
    .array(
      z.object({
        name: z.string(),
        webhook_configs: z.array(z.object({ url: z.string().optional() })).default([]),
      }),
    )
    .default([]),
});

/** By what our intake is known, whatever host and port it has from where Alertmanager runs. */
const intakePath = "/alerts";

/** Reads Alertmanager's configuration file, parsed. */
export function alertRouteOf(configuration: unknown): AlertRoute {
  const read = Configuration.safeParse(configuration);
  if (!read.success) return { kind: "unreadable" };
  const routed = new Set(receiversOf(read.data.route));
  const targets = read.data.receivers.flatMap(({ name, webhook_configs }) =>
    webhook_configs.map(({ url }) => ({ receiver: name, url })),
  );
  const ours = targets.flatMap(({ receiver, url }) => (isIntake(url) ? [{ receiver, url }] : []));
  const [reached] = ours.filter(({ receiver }) => routed.has(receiver));
  if (reached !== undefined) return { kind: "routed", ...reached };
  const hidden = targets.filter(
    ({ receiver, url }) => routed.has(receiver) && (url === undefined || url === "<secret>"),
  );
  if (hidden.length > 0) return { kind: "hidden", receivers: [...new Set(hidden.map(({ receiver }) => receiver))] };
  return ours[0] === undefined ? { kind: "elsewhere" } : { kind: "unrouted", receiver: ours[0].receiver };
}

function receiversOf({ receiver, routes = [] }: Route): string[] {
  return [...(receiver === undefined ? [] : [receiver]), ...routes.flatMap(receiversOf)];
}

function isIntake(url: string | undefined): url is string {
  return url !== undefined && URL.canParse(url) && new URL(url).pathname === intakePath;
}
