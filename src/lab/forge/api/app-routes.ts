import type { Tokens } from "./auth.ts";
import type { Routes } from "../http.ts";
import { Problem, created, notFound, ok, paged } from "../http.ts";
import type { Webhooks } from "../webhooks.ts";
import { appView, installationView, repositoryView } from "./views.ts";
import type { ForgeState } from "../world.ts";

/** The App itself: its identity, its installation, its tokens, its webhook deliveries. */
export function appRoutes(world: ForgeState, tokens: Tokens, webhooks: Webhooks): Routes {
  const { app } = world.options;
  return {
    "GET /app": () => ok({ ...appView(world, app.id, app.slug), installations_count: 1 }),
    "GET /apps/{slug}": ({ params }) => ok(appBySlug(world, params.slug ?? "")),
    "GET /app/installations": (call) => paged(call, world.settings.installed ? [installationView(world)] : []),
    "GET /app/installations/{id}": (call) => {
      if (Number(call.params.id) !== world.installationId) throw notFound();
      return ok(installationView(world));
    },
    "POST /app/installations/{id}/access_tokens": (call) => {
      if (Number(call.params.id) !== world.installationId) throw notFound();
      refuseOthers(world, call.body.repositories);
      const { permissions } = installationView(world);
      return created({
        ...tokens.issue(),
        permissions,
        repository_selection: "selected",
        repositories: [repositoryView(world)],
      });
    },
    "GET /app/hook/deliveries": (call) =>
      paged(
        call,
        [...webhooks.deliveries].reverse().map((delivery) => deliveryView(world, delivery)),
      ),
    "POST /app/hook/deliveries/{id}/attempts": async (call) => {
      const delivery = webhooks.deliveries.find((one) => one.number === Number(call.params.id));
      if (!delivery) throw notFound();
      void webhooks.redeliver(delivery.id);
      return { status: 202, body: {} };
    },
    "GET /repos/{owner}/{repo}/installation": () => ok(installedOn(world)),
    "GET /installation/repositories": (call) =>
      paged(call, [repositoryView(world)], (repositories) => ({
        total_count: 1,
        repository_selection: "selected",
        repositories,
      })),
    "GET /orgs/{org}/teams/{team}/memberships/{login}": ({ params }) => {
      const members = world.options.teams?.[`${params.org}/${params.team}`] ?? [];
      if (!members.some((login) => login.toLowerCase() === params.login?.toLowerCase())) throw notFound();
      const team = `${world.origin}/api/v3/orgs/${params.org}/teams/${params.team}`;
      return ok({ url: `${team}/memberships/${params.login}`, role: "member", state: "active" });
    },
    "GET /rate_limit": () => {
      const core = {
        limit: 15_000,
        used: 0,
        remaining: 15_000,
        reset: Math.floor(Date.parse(world.now()) / 1000) + 3600,
      };
      return ok({ resources: { core, search: core, graphql: core }, rate: core });
    },
    "GET /meta": () => ok({ verifiable_password_authentication: false }),
    "GET /user": () => {
      throw new Problem(403, "Resource not accessible by integration");
    },
  };
}

function refuseOthers(world: ForgeState, asked: unknown): void {
  if (Array.isArray(asked) && asked.some((name) => name !== world.options.repo))
    throw new Problem(422, "There is at least one repository that does not exist or is not accessible");
}

function installedOn(world: ForgeState) {
  if (!world.settings.installed) throw notFound();
  return installationView(world);
}

/** An App of somebody else is `app-ID` here. */
function appBySlug(world: ForgeState, slug: string) {
  const { app } = world.options;
  const id = slug === app.slug ? app.id : Number(/^app-(\d+)$/.exec(slug)?.[1]);
  if (!Number.isInteger(id)) throw notFound();
  return appView(world, id, slug);
}

function deliveryView(world: ForgeState, delivery: Webhooks["deliveries"][number]) {
  return {
    id: delivery.number,
    guid: delivery.id,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: 0,
    status: delivery.status !== undefined && delivery.status >= 200 && delivery.status < 300 ? "OK" : "failed",
    status_code: delivery.status ?? 0,
    event: delivery.event,
    action: delivery.action ?? null,
    installation_id: world.installationId,
    repository_id: world.owner.id + 1,
  };
}
