import { Probot } from "probot";
import { bodyHashOf } from "../domain/guardrails/commenter.ts";
import type { Message } from "../ports/workflow.ts";
import { newlyTicked, type OpenRequest } from "../domain/proposal/dashboard.ts";

/** Wakes the workflow of a pull request; the key makes one delivery count once. */
type Wake = (pull: number, message: Message, key: string) => Promise<void>;

/** A delivery tells that boxes of an issue were ticked, and by whom: nothing else at GitHub does. */
type Ticked = (requests: readonly OpenRequest[]) => Promise<void>;

/** The GitHub App: checks signatures and turns events into wake-ups. It acts on nothing by itself. */
export interface App {
  verify(body: string, signature: string): Promise<boolean>;
  /** Hears one event; the answer is why it is none of ours. */
  receive(delivery: { id: string; name: string; payload: object }): Promise<string | undefined>;
}

interface AppOptions {
  readonly id: number;
  readonly privateKey: string;
  readonly webhookSecret: string;
  /** The code host's number of the repository that is served; undefined = events of every one are heard. */
  readonly repositoryId?: number | undefined;
  readonly wake: Wake;
  readonly ticked?: Ticked;
  /** The files of a pull request are new; `by` did it. */
  readonly changed?: (pull: number, by: string) => Promise<void>;
}

/**
 * Which event wakes what. Only a comment carries meaning of its own; for everything else the state is read from the
 * API, so that late, repeated and swapped deliveries all end the same.
 */
export function createApp(options: AppOptions): App {
  const probot = new Probot({
    appId: options.id,
    privateKey: options.privateKey,
    // Probot falls back to the word "development" when this is unset: settings.ts refuses to start without it.
    secret: options.webhookSecret,
    logLevel: "fatal",
  });
  probot.on("issue_comment.created", async ({ id, payload }) => {
    if (!payload.issue.pull_request) return;
    const { id: comment, body } = payload.comment;
    await options.wake(payload.issue.number, { kind: "command", comment, bodyHash: bodyHashOf(body) }, id);
  });
  probot.on(["pull_request.closed", "pull_request.reopened", "pull_request.synchronize"], async ({ id, payload }) => {
    await options.wake(payload.pull_request.number, { kind: "pull-request" }, id);
  });
  probot.on(["pull_request.opened", "pull_request.reopened", "pull_request.synchronize"], async ({ payload }) => {
    await options.changed?.(payload.pull_request.number, payload.sender.login);
  });
  probot.on("pull_request_review.submitted", async ({ id, payload }) => {
    await options.wake(payload.pull_request.number, { kind: "pull-request" }, id);
  });
  probot.on(["check_run.completed", "check_run.rerequested"], async ({ id, payload }) => {
    for (const pull of payload.check_run.pull_requests) await options.wake(pull.number, { kind: "pull-request" }, id);
  });
  probot.on("issues.edited", async ({ id, payload }) => {
    const { issue, sender, changes } = payload;
    const incidents = newlyTicked(changes.body?.from ?? "", issue.body ?? "");
    const asked = { by: sender.login, byPerson: sender.type === "User", issue: issue.number };
    await options.ticked?.(incidents.map((incident) => ({ ...asked, incident, proof: `delivery ${id} ${incident}` })));
  });
  return {
    verify: (body, signature) => probot.webhooks.verify(body, signature),
    receive: async ({ id, name, payload }) => {
      if (isOfAnother(payload, options.repositoryId)) return "of another repository";
      await probot.receive({ id, name, payload } as Parameters<Probot["receive"]>[0]);
      return undefined;
    },
  };
}

/** One installation may have several repositories, whose pull requests have the same numbers. Their names change. */
function isOfAnother(payload: object, served: number | undefined): boolean {
  const { repository } = payload as { readonly repository?: { readonly id?: unknown } | null };
  return served !== undefined && typeof repository?.id === "number" && repository.id !== served;
}
