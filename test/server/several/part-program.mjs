// Stands for the process of one repository: it answers every request, and what it does else its cluster says.
import { existsSync } from "node:fs";
import { createServer } from "node:http";

if (process.env.RECTIFY_PART === undefined) process.exit(7);
process.once("message", ({ cluster, repository }) => {
  const [does, file] = cluster.split(" ");
  if (does === "refuses" || repository.repo === "refuses")
    return process.send({ kind: "failed", because: "the App is not installed" });
  if (does === "refuses-until" && !existsSync(file)) return process.send({ kind: "failed", because: "no answer" });
  if (does === "dies") process.exit(3);
  if (does === "never-begins") return;
  const server = createServer(({ url }, response) => {
    while (url === "/hang");
    response.end("ready");
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    process.send({ kind: "told", incident: "i-1", verb: "plan", text: "scale" });
    process.send({ kind: "ready", ports: { webhooks: port, internal: port, pages: port } });
  });
});
process.on("disconnect", () => process.exit(0));
