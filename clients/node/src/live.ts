/** Live swapping: pictures in, labelled pictures out. */

import { WebSocket } from "ws";

import { ApiError, unreached } from "./error.js";
import type { Line } from "./line.js";

/** Most bytes of a message. */
const MOST_BYTES = 16_000_000;

/** A picture that came back. */
export interface Frame {
  /** When the picture that it was made of came to the server, in milliseconds of the session. */
  readonly milliseconds: number;
  /** A JPEG, with the label on it. */
  readonly picture: Buffer;
}

/** How a session does. */
export interface Figures {
  readonly fps: number;
  /** From a picture's coming to the server to its leaving: `p50`, `p95`, `p99`. */
  readonly latency_ms: Readonly<Record<string, number>>;
}

/** What a session is begun with. */
export interface LiveOptions {
  /** By full name, such as `blend.strength`. */
  settings?: Readonly<Record<string, unknown>>;
  /** Ends the session. */
  signal?: AbortSignal | undefined;
}

/**
 * A live session. Hand pictures over with `give`, and take what comes back with `for await`.
 *
 * Where either side is slower, the newest picture counts: of those that came back, only the last is kept for you.
 */
export class Live implements AsyncIterable<Frame> {
  /** The newest figures, about once a second; null before the first. */
  figures: Figures | null = null;
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;
  #newest: Frame | null = null;
  #refused: Record<string, unknown> | null = null;
  #over = false;
  #fault: unknown;
  #wake: () => void = () => undefined;

  /** @internal */
  constructor(line: Line, person: string, options: LiveOptions) {
    const { address, headers } = line.socket("/live/frames");
    // It follows no redirection by itself: the token is for one server.
    const socket = new WebSocket(address, {
      headers,
      perMessageDeflate: false,
      maxPayload: MOST_BYTES,
      handshakeTimeout: line.seconds * 1000,
      ...(line.ca === undefined ? {} : { ca: line.ca }),
    });
    this.#socket = socket;
    const abort = (): void => this.#end(options.signal?.reason);
    options.signal?.addEventListener("abort", abort, { once: true });
    let heard = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - heard > line.seconds * 1000) {
        this.#end(new ApiError(`nothing came from the server for ${line.seconds} s`, "Is it busy, or gone?"));
      } else if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, (line.seconds * 1000) / 4);
    socket.on("pong", () => (heard = Date.now()));
    socket.on("message", (data: Buffer, binary: boolean) => {
      heard = Date.now();
      this.#take(data, binary);
    });
    socket.on("unexpected-response", (request, answer) => {
      request.destroy();
      this.#end(refused(answer.statusCode ?? 0));
    });
    socket.on("error", (fault) => this.#end(unreached(fault)));
    socket.on("close", (code) => {
      clearInterval(watch);
      options.signal?.removeEventListener("abort", abort);
      if (this.#refused) this.#end(told(this.#refused, code));
      else this.#end(code === 1000 ? undefined : new ApiError("the session was cut off", "Begin another."));
    });
    this.#opened = new Promise((resolve, reject) => {
      socket.on("open", () => {
        socket.send(JSON.stringify({ person, settings: options.settings ?? {} }));
        resolve();
      });
      socket.on("close", () => reject(this.#fault ?? new ApiError("the session has ended", "Begin another.")));
    });
    this.#opened.catch(() => undefined); // told to whoever waits for it
    if (options.signal?.aborted) abort();
  }

  /** @internal */
  async opened(): Promise<this> {
    await this.#opened;
    return this;
  }

  /**
   * Hand a picture over: JPEG, PNG or WebP, all of one size. It has left this program when the promise is kept.
   *
   * @throws {ApiError} The session has ended for a fault.
   */
  give(picture: Uint8Array): Promise<void> {
    return this.#send(picture);
  }

  /**
   * Have nobody seen, from the next picture on; or let them be seen again.
   *
   * @throws {ApiError} The session has ended for a fault.
   */
  cover(covered: boolean): Promise<void> {
    return this.#send(JSON.stringify({ covered }));
  }

  /** End the session. */
  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      this.#socket.once("close", () => resolve());
      this.#over = true;
      this.#wake();
      this.#socket.close(1000);
    });
  }

  /**
   * What comes back, until the session ends.
   *
   * @throws {ApiError} It ended for a fault: its error and hint are the server's.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Frame> {
    for (;;) {
      const frame = this.#newest;
      if (frame) {
        this.#newest = null;
        yield frame;
      } else if (this.#over) {
        if (this.#fault !== undefined) throw this.#fault;
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  async #send(message: Uint8Array | string): Promise<void> {
    if (this.#over) throw this.#fault ?? new ApiError("the session has ended", "Begin another.");
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(message, { binary: typeof message !== "string" }, (fault) =>
        fault ? reject(this.#fault ?? unreached(fault)) : resolve(),
      );
    });
  }

  #take(data: Buffer, binary: boolean): void {
    if (binary && data.length > 4) {
      this.#newest = { milliseconds: data.readUInt32BE(0), picture: data.subarray(4) };
      this.#wake();
      return;
    }
    let said: Record<string, unknown>;
    try {
      said = Object(JSON.parse(data.toString("utf8"))) as Record<string, unknown>;
    } catch (fault) {
      this.#end(new ApiError("the server says what is no JSON", "Is this an Understudy server?", 0, null, { cause: fault }));
      return;
    }
    if (typeof said["error"] === "string") {
      this.#refused = said; // and hangs up
    } else if (typeof said["fps"] === "number") {
      this.figures = { fps: said["fps"], latency_ms: Object(said["latency_ms"]) as Record<string, number> };
    }
  }

  /** It is over; the first fault is the one that is told. */
  #end(fault: unknown): void {
    if (!this.#over) this.#fault ??= fault;
    this.#over = true;
    this.#wake();
    if (this.#socket.readyState !== WebSocket.CLOSED) this.#socket.terminate();
  }
}

/** The error that the server told before it hung up: as it would have answered a request. */
function told(said: Record<string, unknown>, code: number): ApiError {
  const after = typeof said["retry_after"] === "number" ? said["retry_after"] : null;
  const status = code === 1013 ? 503 : after === null ? 422 : 429;
  return new ApiError(String(said["error"]), String(said["hint"] ?? ""), status, after);
}

function refused(status: number): ApiError {
  if (status >= 300 && status < 400) {
    return new ApiError("the server leads to another address", "Give the API's own address: the token is for no other.", status);
  }
  return new ApiError(
    `the server opens no live session: it answered with ${status}`,
    "Is the token good, and for live? Is this the address of an Understudy server?",
    status,
  );
}
