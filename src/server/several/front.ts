import { createHmac } from "node:crypto";
import { isSameSecret, type Reply, type Route } from "../../adapters/http/listener.ts";
import { Unavailable } from "../../ports/errors.ts";
import { brand, pageHeaders } from "../pages/parts/layout.ts";
import { alertsDoor, webhookDoor } from "../routes.ts";
import { forward } from "./forward.ts";
import { joinedMetrics } from "./joined-metrics.ts";
import { repositoriesPage } from "./page.ts";
import type { Part, PartPorts } from "./part.ts";
import type { Unserved } from "./unserved.ts";

/** What the front knows of those behind it. */
export interface Front {
  readonly parts: readonly Part[];
  readonly webhookSecret: string;
  readonly alertsToken: string;
  readonly unserved: Unserved;
}

/** The public listener: a delivery of GitHub goes to the process of the repository that it names, and to no other. */
export function webhookFront({ parts, webhookSecret, unserved }: Front): Route {
  return {
    ...webhookDoor,
    answer: async ({ body, headers }) => {
      if (!isGenuine(body, String(headers["x-hub-signature-256"]), webhookSecret))
        return { status: 401, body: "wrong signature" };
      const name = repositoryIn(body);
      const part = parts.find(({ repository }) => repository.toLowerCase() === name?.toLowerCase());
      // The App may be installed on more than is served, and tells of itself as well.
      if (part === undefined) {
        unserved.record(name);
        return { status: 202, body: "accepted: about no repository that is served here" };
      }
      return send(part, "webhooks", { method: "POST", path: "/webhooks/github", headers, body });
    },
  };
}

/**
 * Alerts go to every process, and each takes those that are its own. Who sent them hears yes only when all have them on
 * record: hearing them twice is safe, and not at all is not.
 */
export function alertsFront({ parts, alertsToken }: Front): Route {
  return {
    ...alertsDoor(alertsToken),
    answer: async ({ body, headers }) => {
      const asked = { method: "POST", path: "/alerts", headers, body } as const;
      const replies = await Promise.allSettled(parts.map((part) => send(part, "internal", asked)));
      const [reply] = replies.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      const taken = replies.filter((one) => one.status === "fulfilled" && one.value.status === 202).length;
      if (reply === undefined || taken < parts.length) throw new Unavailable("not every repository took the alerts");
      return reply;
    },
  };
}

// Kubernetes takes what is later than a second for a no, and Prometheus what is later than ten.
const readyMs = 800;
const metricsMs = 5_000;

/** Metrics of all, and whether anything is served: one repository in trouble must not take the others off the network. */
export function healthFront({ parts, unserved }: Front): Route[] {
  return [
    {
      ...{ method: "GET", path: "/readyz" },
      answer: async ({ headers }) => {
        const asked = { method: "GET", path: "/readyz", headers, deadlineMs: readyMs } as const;
        const said: (string | undefined)[] = [];
        const asking = parts.map(async (part, index) => {
          const reply = await answered(send(part, "internal", asked));
          said[index] = reply?.body;
          return reply?.status === 200;
        });
        const ready = await isAny(asking);
        const lines = parts.map(
          (part, index) => `${part.repository}: ${said[index] ?? part.trouble() ?? "no answer yet"}`,
        );
        return { status: ready ? 200 : 503, body: lines.join("\n") };
      },
    },
    {
      ...{ method: "GET", path: "/metrics" },
      answer: async ({ headers }) => {
        const asked = { method: "GET", path: "/metrics", headers, deadlineMs: metricsMs } as const;
        const replies = await Promise.all(parts.map((part) => answered(send(part, "internal", asked))));
        const texts = parts.flatMap(({ repository }, index) => {
          const reply = replies[index];
          return reply?.status === 200 ? [{ repository, text: reply.body ?? "" }] : [];
        });
        const up = parts.map(({ repository }, index) => {
          const isUp = replies[index]?.status === 200;
          const text = `# HELP rectify_repository_up 1 while the process of the repository answers.\n# TYPE rectify_repository_up gauge\nrectify_repository_up ${isUp ? 1 : 0}\n`;
          return { repository, text };
        });
        const headersOf = replies.find((reply) => reply?.status === 200)?.headers;
        return { status: 200, body: joinedMetrics([...up, ...texts]) + unserved.metrics(), headers: headersOf ?? {} };
      },
    },
  ];
}

/** True with the first yes, whatever the others take. */
function isAny(asking: readonly Promise<boolean>[]): Promise<boolean> {
  return new Promise((answer, failed) => {
    for (const one of asking) one.then((yes) => yes && answer(true), failed);
    Promise.all(asking).then((all) => answer(all.includes(true)), failed);
  });
}

const below = "/repositories/";

/** The pages of all: those of each below its name, and the list of them. */
export function pagesFront({ parts }: Front): Route[] {
  const list = async (): Promise<Reply> => ({
    ...{ status: 200, headers: pageHeaders },
    body: await repositoriesPage(parts, placeOf),
  });
  return [
    {
      ...{ method: "GET", path: `${below}*` },
      answer: async ({ url, headers: asked }) => {
        const part = parts.find((one) => `${url.pathname}/`.startsWith(placeOf(one)));
        if (part === undefined) return { status: 404, body: "no such repository is served here" };
        const path = `/${url.pathname.slice(placeOf(part).length)}${url.search}`;
        const reply = await answered(send(part, "pages", { method: "GET", path, headers: asked }));
        return reply === undefined
          ? { status: 503, body: `${part.repository} is not running: ${part.trouble() ?? "it gave no answer"}` }
          : movedBelow(reply, part);
      },
    },
    { method: "GET", path: "/", answer: list },
    { method: "GET", path: "/system", answer: list },
  ];
}

const placeOf = ({ repository }: Pick<Part, "repository">): string => `${below}${repository}/`;

/** The pages name each other from the root. Text of others cannot look like a link: its quotes are escaped. */
export function movedBelow(reply: Reply, { repository }: Pick<Part, "repository">): Reply {
  const place = placeOf({ repository });
  const { headers = {}, body = "" } = reply;
  const { location } = headers;
  const led = location?.startsWith("/") === true ? { ...headers, location: `${place}${location.slice(1)}` } : headers;
  const isPage = headers["content-type"]?.startsWith("text/html") === true;
  if (!isPage) return { ...reply, headers: led };
  const moved = body.replace(/(\s(?:href|src|action)=")\/(?!\/)/g, `$1${place}`);
  // Which repository it is about, and the way to the others.
  const named = moved.replace(brand, `<strong><a href="/">Rectify</a></strong> <strong>${repository}</strong>`);
  return { ...reply, headers: led, body: named };
}

type Asked = Omit<Parameters<typeof forward>[0], "port">;

function send(part: Part, to: keyof PartPorts, asked: Asked): Promise<Reply> {
  const port = part.ports()?.[to];
  if (port === undefined) return Promise.reject(new Unavailable(`${part.repository} is not running`));
  return forward({ ...asked, port });
}

/** Undefined where nobody answers. */
async function answered(reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof Unavailable) return undefined;
    throw error;
  }
}

/** https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
function isGenuine(body: Buffer, signature: string, secret: string): boolean {
  return isSameSecret(signature, `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`);
}

function repositoryIn(body: Buffer): string | undefined {
  try {
    const { repository } = JSON.parse(body.toString("utf8")) as { repository?: { full_name?: unknown } };
    return typeof repository?.full_name === "string" ? repository.full_name : undefined;
  } catch {
    return undefined;
  }
}
