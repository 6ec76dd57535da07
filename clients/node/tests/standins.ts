/** Servers that do what a real one does seldom. */

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export const TOKEN = "understudy_0123456789ab_secret";
export const ID = "0".repeat(32);

/** A server until its test is over: its address. */
export async function serving(test: TestContext, answers: RequestListener | Server): Promise<string> {
  const server = typeof answers === "function" ? createServer(answers) : answers;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A swap as the server tells it. */
export function swapped(state: string, share: number): string {
  return JSON.stringify({ id: ID, target: ID, state, share, frames_done: 0, frames: 0, error: "", hint: "" });
}

/** Answer with JSON. */
export function say(answer: ServerResponse, status: number, said: unknown, headers: Record<string, string> = {}): void {
  answer.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(said));
}

/** All bytes of a request. */
export async function bytesOf(request: IncomingMessage): Promise<number> {
  let count = 0;
  for await (const piece of request) count += (piece as Buffer).length;
  return count;
}
