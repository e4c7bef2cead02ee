import { openListeners } from "../fuzz/listeners.ts";
import { packetFrom, randomFrom } from "../fuzz/packets.ts";
import { ask, send } from "../fuzz/send.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * Sends odd packets to both listeners: `npm run -s bench:fuzz -- [packets] [seed]`. Prints one JSON object as its last
 * line; exits with code 1 when a listener fell, threw, answered 5xx, or grew by more than 64 MB.
 */
const packets = Number(process.argv[2] ?? 20_000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const abreast = 50;
const patience = { quietMs: 250, pieceMs: 10 };

const unhandled: unknown[] = [];
process.on("unhandledRejection", (error) => unhandled.push(error));
const postgres = await temporaryPostgres("fuzz");
const { ports, faults, close } = await openListeners(postgres.url);
const random = randomFrom(seed);
const kinds: Record<string, number> = {};
const answers: Record<string, number> = {};
const before = process.memoryUsage().rss;
let standing = true;

for (let sent = 0; sent < packets && standing; sent += abreast) {
  const batch = Array.from({ length: abreast }, () => packetFrom(random));
  const reactions = await Promise.all(batch.map((packet, at) => send(ports[at % 2] ?? 0, packet, patience)));
  for (const { kind } of batch) kinds[kind] = (kinds[kind] ?? 0) + 1;
  for (const { statuses, closed } of reactions) {
    for (const status of statuses) answers[status] = (answers[status] ?? 0) + 1;
    if (statuses.length === 0) answers[closed ? "closed" : "waits"] = (answers[closed ? "closed" : "waits"] ?? 0) + 1;
  }
  const health = await Promise.all(ports.map((port) => ask(port, "/healthz", { ...patience, quietMs: 5_000 })));
  standing = health.every(({ statuses }) => statuses[0] === 200);
}

const grownMb = Math.round((process.memoryUsage().rss - before) / 1024 / 1024);
const broken = Object.keys(answers).filter((answer) => Number(answer) >= 500 && answer !== "505");
await close();
await postgres.close();
const figures = {
  packets,
  seed,
  standing,
  unhandled: unhandled.length,
  faults: faults.length,
  grownMb,
  kinds,
  answers,
};
for (const error of [...unhandled, ...faults].slice(0, 5)) console.error(error);
console.log(JSON.stringify(figures));
process.exit(standing && unhandled.length + faults.length + broken.length === 0 && grownMb <= 64 ? 0 : 1);
