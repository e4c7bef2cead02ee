import { connect } from "node:net";
import type { Packet } from "./packets.ts";

/** What came back: the status codes in their order, and whether the listener hung up. */
interface Reaction {
  readonly statuses: readonly number[];
  readonly closed: boolean;
}

/** How long each packet is watched before we hang up ourselves. */
interface Patience {
  readonly quietMs: number;
  /** Between the pieces of a slow packet. */
  readonly pieceMs: number;
}

/**
 * Sends the bytes and listens until the other side hangs up, or has been quiet for a while; then we hang up. A
 * connection that was broken off is an answer: the stranger has no right to a polite one.
 */
export function send(port: number, packet: Packet, { quietMs, pieceMs }: Patience): Promise<Reaction> {
  return new Promise((done) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: false });
    const finish = (closed: boolean) => {
      socket.destroy();
      done({ statuses: [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1])), closed });
    };
    socket.setTimeout(quietMs, () => finish(false));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => finish(true));
    socket.on("close", () => finish(true));
    socket.on("connect", () => void write(packet, (piece) => !socket.destroyed && socket.write(piece), pieceMs));
  });
}

async function write(packet: Packet, put: (piece: Buffer) => unknown, pieceMs: number): Promise<void> {
  if (packet.kind !== "slow") return void put(packet.bytes);
  const size = Math.ceil(packet.bytes.length / 8);
  for (let at = 0; at < packet.bytes.length; at += size) {
    put(packet.bytes.subarray(at, at + size));
    await new Promise((next) => setTimeout(next, pieceMs));
  }
}

/** One whole request with this target. */
export function ask(port: number, target: string, patience: Patience): Promise<Reaction> {
  const bytes = Buffer.from(`GET ${target} HTTP/1.1\r\nhost: listener\r\nconnection: close\r\n\r\n`, "latin1");
  return send(port, { kind: "plain", bytes }, patience);
}
