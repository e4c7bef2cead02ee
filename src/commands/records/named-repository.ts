/** A command, as far as it is given an option. */
interface Optioned {
  name(): string;
  option(flags: string, description: string): this;
  opts(): { readonly repository?: unknown };
  hook(event: "preAction", listener: () => void): this;
}

const reading: readonly string[] = ["incidents", "explain", "audit", "deliveries"];

/** Lets the commands that read the records of one repository be told of which, where several are served. */
export function letNameRepository(commands: readonly Optioned[], env: Record<string, string | undefined>): void {
  for (const command of commands.filter((one) => reading.includes(one.name())))
    command.option("--repository <owner/name>", "where several are served: whose records").hook("preAction", () => {
      const { repository } = command.opts();
      if (typeof repository === "string") env.RECTIFY_REPOSITORY = repository;
    });
}
