import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Settings } from "../../../settings/settings.ts";
import { until } from "../../start.ts";
import type { Said } from "./rectify-process.ts";

type Told = Extract<Said, { readonly kind: "told" }>;

/** A Rectify in a process of its own. */
export interface SecondRectify {
  readonly internalPort: number;
  /** All that it told so far, oldest first. */
  readonly told: readonly Told[];
  close(): Promise<void>;
}

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const program = fileURLToPath(new URL(`./rectify-process.${extension}`, import.meta.url));
const closeMs = 20_000;

/** Starts it with these settings. Throws why it cannot start. */
export async function startSecond(settings: Settings, tell: (line: string) => void): Promise<SecondRectify> {
  const child = fork(program, { serialization: "advanced" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const told: Told[] = [];
  let internalPort: number | undefined;
  let failed: string | undefined;
  child.on("message", (said: Said) => {
    if (said.kind === "ready") ({ internalPort } = said);
    else if (said.kind === "failed") failed = said.because;
    else {
      told.push(said);
      tell(`${said.verb} ${said.text}`);
    }
  });
  child.once("exit", () => {
    failed ??= "its process has ended";
  });
  child.send(settings);
  const close = async () => {
    const late = setTimeout(() => child.kill("SIGKILL"), closeMs);
    if (child.connected) child.disconnect();
    await ended;
    clearTimeout(late);
  };
  const started = await until("the second Rectify", () => internalPort ?? failed);
  if (typeof started === "string") {
    await close();
    throw new Error(`the second Rectify could not start: ${started}`);
  }
  return { internalPort: started, told, close };
}
