// Stands for the process of one repository: its number is all its ports, so that a test can end it.
if (process.env.RECTIFY_PART === undefined) process.exit(7);
process.once("message", (settings) => {
  if (settings.cluster === "refuses") return process.send({ kind: "failed", because: "the App is not installed" });
  if (settings.cluster === "dies") process.exit(3);
  process.send({ kind: "told", incident: "i-1", verb: "plan", text: "scale" });
  process.send({ kind: "ready", ports: { webhooks: process.pid, internal: process.pid, pages: process.pid } });
});
process.on("disconnect", () => process.exit(0));
