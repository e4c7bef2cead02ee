import { z } from "zod";
import { address } from "./endpoints.ts";

/** Whom Rectify tells; where nothing is set, nobody. Secrets come from files only. */
export interface NotifySettings {
  readonly slackUrlPath: string | undefined;
  readonly url: string | undefined;
  readonly secretPath: string | undefined;
}

const absolute = z.string().startsWith("/", "must be an absolute path");

/** The variables by which it is told. */
export const notifyVariables = {
  NOTIFY_SLACK_URL_PATH: absolute.optional(),
  NOTIFY_WEBHOOK_URL: address.optional(),
  NOTIFY_WEBHOOK_SECRET_PATH: absolute.optional(),
};

/** As they were read. */
export type NotifyVariables = { readonly [Name in keyof typeof notifyVariables]?: string | undefined };

export function notifyOf(read: NotifyVariables): NotifySettings | undefined {
  const { NOTIFY_SLACK_URL_PATH: slackUrlPath, NOTIFY_WEBHOOK_URL: url, NOTIFY_WEBHOOK_SECRET_PATH: secretPath } = read;
  return slackUrlPath === undefined && url === undefined ? undefined : { slackUrlPath, url, secretPath };
}
