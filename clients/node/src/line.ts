/** The line to the server: requests with a token, answers as plain values or as they come. */

import * as http from "node:http";
import * as https from "node:https";
import { pipeline } from "node:stream/promises";

import { ApiError, unreached } from "./error.js";
import { pieces, type Sent } from "./files.js";

const PLACE = "/api/v1";
/** Most bytes of an answer that is read as a whole. */
const MOST_BYTES = 64_000_000;
/** Milliseconds for which a connection is kept for the next request: fewer than the server keeps it. */
const KEPT = 10_000;
/** Milliseconds that a server has to say that it wants a file; one that knows no such question says nothing. */
const ASKED = 1_000;

/** How a client asks. */
export interface Options {
  /** Seconds for which nothing need come from the server, nor be taken by it; 60 by itself. */
  seconds?: number;
  /** Certificates (PEM) that are trusted in place of the system's: for a server with one of its own making. */
  ca?: string | Buffer;
}

/** What can be said of any request. */
export interface Asked {
  /** Ends it. */
  signal?: AbortSignal | undefined;
}

/** A request. */
export interface Request extends Asked {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the API's address. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** The body, as plain values. */
  readonly json?: unknown;
  /** A file that is the body. */
  readonly file?: Sent;
}

/** One server, asked with one token. */
export class Line {
  readonly seconds: number;
  readonly ca: string | Buffer | undefined;
  readonly #base: string;
  readonly #authorization: string;
  readonly #agent: http.Agent;

  /** @throws {ApiError} That is no address, or no token. */
  constructor(address: string, token: string, options: Options) {
    if (!/^https?:\/\/[^\s/?#@]+\/?$/.test(address) || !URL.canParse(address)) {
      throw new ApiError(`this is no address of a server: ${address.slice(0, 200)}`, "It is like https://HOST:PORT.");
    }
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new ApiError("this is no token", "It is what `understudy token add` printed.");
    }
    this.seconds = options.seconds ?? 60;
    if (!(this.seconds > 0 && this.seconds <= 86_400)) {
      throw new ApiError(`${options.seconds} is no number of seconds to wait`, "Choose more than 0, up to a day's.");
    }
    this.ca = options.ca;
    this.#base = address.replace(/\/$/, "") + PLACE;
    this.#authorization = `Bearer ${token}`;
    const kept = { keepAlive: true, timeout: KEPT };
    this.#agent = address.startsWith("https:")
      ? new https.Agent(this.ca === undefined ? kept : { ...kept, ca: this.ca })
      : new http.Agent(kept);
  }

  /** Where a WebSocket is opened, and with what. */
  socket(path: string): { address: string; headers: Record<string, string> } {
    return { address: this.#base.replace(/^http/, "ws") + path, headers: { authorization: this.#authorization } };
  }

  /** Hang up. */
  close(): void {
    this.#agent.destroy();
  }

  /** What is answered, as plain values; undefined where there is nothing. */
  async ask(request: Request): Promise<unknown> {
    const answer = await this.open(request);
    try {
      return parsed(await whole(answer));
    } catch (fault) {
      request.signal?.throwIfAborted();
      throw unreached(fault);
    }
  }

  /**
   * An answer whose body is still to be read.
   *
   * @throws {ApiError} It was a refusal or a failure, or there was none.
   */
  async open(request: Request): Promise<http.IncomingMessage> {
    request.signal?.throwIfAborted();
    let answer: http.IncomingMessage;
    try {
      answer = await this.#answer(request);
    } catch (fault) {
      request.signal?.throwIfAborted();
      throw unreached(fault);
    }
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    const said = await whole(answer).catch(() => ""); // the status alone tells enough
    request.signal?.throwIfAborted();
    throw refusal(status, answer.headers["retry-after"], said);
  }

  #answer(request: Request, again = request.method === "GET"): Promise<http.IncomingMessage> {
    const { file } = request;
    const body = request.json === undefined ? undefined : Buffer.from(JSON.stringify(request.json));
    const headers: http.OutgoingHttpHeaders = { authorization: this.#authorization };
    if (body) Object.assign(headers, { "content-type": "application/json", "content-length": body.length });
    if (file) {
      Object.assign(headers, { "content-type": "application/octet-stream", "content-length": file.bytes });
      // Whoever has no token, or too large a file, is told so before the first byte of it.
      if (file.bytes) headers["expect"] = "100-continue";
    }
    const query = new URLSearchParams(request.query).toString();
    return new Promise((resolve, reject) => {
      let answered: http.IncomingMessage | undefined;
      const sent = (this.#base.startsWith("https:") ? https : http).request(
        `${this.#base}${request.path}${query && `?${query}`}`,
        { method: request.method, headers, agent: this.#agent, timeout: this.seconds * 1000, signal: request.signal },
      );
      sent.on("timeout", () => {
        const late = new ApiError(`nothing came from the server for ${this.seconds} s`, "Is it busy, or gone?");
        (answered ?? sent).destroy(late);
      });
      sent.on("error", (fault: NodeJS.ErrnoException) => {
        // The server hung up on a kept connection just when it was used again: nothing was asked yet.
        if (again && sent.reusedSocket && fault.code === "ECONNRESET") resolve(this.#answer(request, false));
        else reject(fault);
      });
      sent.on("response", (answer) => {
        answered = answer;
        // A file that is refused is not sent to its end; the connection can't be used for anything else then.
        if (file) answer.once("close", () => sent.writableEnded || sent.destroy());
        resolve(answer);
      });
      if (file) upload(sent, file, reject);
      else sent.end(body);
    });
  }
}

/** Send a file once the server wants it. */
function upload(sent: http.ClientRequest, file: Sent, failed: (fault: unknown) => void): void {
  let begun = false;
  const begin = (): void => {
    if (begun || sent.destroyed) return;
    begun = true;
    pipeline(pieces(file), sent).catch(failed); // of no account once there is an answer
  };
  if (file.bytes === 0) {
    sent.end();
    return;
  }
  sent.flushHeaders();
  const waited = setTimeout(begin, ASKED).unref();
  sent.once("continue", begin);
  sent.once("response", () => {
    clearTimeout(waited);
    begun = true;
  });
  sent.once("close", () => clearTimeout(waited));
}

/** An answer's body. */
async function whole(answer: http.IncomingMessage): Promise<string> {
  const found: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer) {
    bytes += (piece as Buffer).length;
    if (bytes > MOST_BYTES) throw new ApiError("the server's answer does not end", "Is this an Understudy server?");
    found.push(piece as Buffer);
  }
  return Buffer.concat(found).toString("utf8");
}

function parsed(said: string): unknown {
  if (!said) return undefined;
  try {
    return JSON.parse(said);
  } catch (fault) {
    throw new ApiError("what the server answers is no JSON", "Is this the address of an Understudy server?", 200, null, {
      cause: fault,
    });
  }
}

/** The error of an answer that is a refusal. */
function refusal(status: number, after: string | undefined, said: string): ApiError {
  if (status >= 300 && status < 400) {
    // Never followed: the token is for one server, and not for whoever it names.
    return new ApiError("the server leads to another address", "Give the API's own address: the token is for no other.", status);
  }
  let found: Record<string, unknown> = {};
  try {
    found = Object(JSON.parse(said)) as Record<string, unknown>;
  } catch {
    // Something before the server, such as a proxy, answers in its own words.
  }
  return new ApiError(
    String(found["error"] || `the server answered with ${status}`),
    String(found["hint"] || "Is this the address of an Understudy server?"),
    status,
    after && /^\d+$/.test(after) ? Number(after) : null,
  );
}
