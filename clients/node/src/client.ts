/** The client. */

import { setTimeout as sleep } from "node:timers/promises";

import type { components, operations } from "./api.js";
import { ApiError, unreached } from "./error.js";
import { events } from "./events.js";
import { free, toSend, write } from "./files.js";
import { type Asked, Line, type Options, type Request } from "./line.js";
import { Live, type LiveOptions } from "./live.js";

type Schemas = components["schemas"];
/** What the token is for, how much its user may do, and did today. */
export type Me = Schemas["Me"];
/** A model that the server knows. */
export type Model = Schemas["Model"];
/** What a setting may be, and what it is by itself. */
export type Setting = Schemas["OneSetting"];
/** Somebody whose face may be used. */
export type Person = Schemas["Person"];
/** A picture or clip that was handed over. */
export type Media = Schemas["Media"];
/** Somebody who is in a clip. */
export type ClipPerson = Schemas["ClipPerson"];
/** What one of a clip's people gets. */
export type Part = Schemas["OnePart"];
/** A swap, and how far it is. */
export type Swap = Schemas["Swap"];
/** What is known of where a file comes from. */
export type Verdict = operations["inspect_api_v1_inspect_post"]["responses"]["200"]["content"]["application/json"];
/** On what ground photos may be used. */
export type Ground = Schemas["ConsentSaid"]["ground"];
/** What photos may be used for. */
export type Use = NonNullable<Schemas["ConsentSaid"]["uses"]>[number];
/** What `remove` removes. */
export type Kind = "photos" | "people" | "media" | "swaps";

/** Who said that photos may be used. */
export interface NewPerson extends Asked {
  /** On what ground they may be used. */
  ground: Ground;
  /** How the person gave consent; needed with `granted`. */
  note?: string;
  /** What to call the person. */
  name?: string;
  /** What they may be used for: `image` and `video` by itself. */
  uses?: readonly Use[];
  /** For how long: 365 by itself. */
  days?: number;
}

/** How a swap is to be. */
export interface NewSwap extends Asked {
  /** Who gets whose face, by the numbers of `whoIsThere`: `{who: 1, person: id}` or `{who: 2, do: "blur"}`. */
  cast?: readonly Part[];
  /** What happens to people whom `cast` leaves out: `leave` by itself. */
  others?: "blur" | "leave";
  /** `mp4`, `png`…; by itself the target's kind decides. */
  format?: string;
  /** By full name, such as `blend.strength`. */
  settings?: Readonly<Record<string, unknown>>;
}

/** Milliseconds between two looks at what is waited for, and between two tries to reach the server again. */
const EVERY = 1000;
/** Milliseconds that removing photos may take after a failure. */
const PATIENCE_TO_REMOVE = 5000;
/** States that a swap does not leave by itself. */
const ENDED: readonly string[] = ["done", "failed", "cancelled", "gone"] satisfies Swap["state"][];

/**
 * An Understudy server, asked with one token.
 *
 * Every method takes an `AbortSignal` as `signal`; what that ends throws its reason. All else that goes wrong is an
 * `ApiError`.
 */
export class Client {
  readonly #line: Line;

  /**
   * @param address Of the server, such as `https://swaps.example.org:8770`.
   * @param token Its secret, as `understudy token add` printed it.
   * @param options How it is asked.
   * @throws {ApiError} That is no address, or no token.
   */
  constructor(address: string, token: string, options: Options = {}) {
    this.#line = new Line(address, token, options);
  }

  /** Hang up. */
  close(): void {
    this.#line.close();
  }

  /** What the token is for, how much its user may do, and did today. */
  me(asked: Asked = {}): Promise<Me> {
    return this.#ask({ method: "GET", path: "/me", ...only(asked) });
  }

  /** Models that the server knows, and which of them it has. */
  models(asked: Asked = {}): Promise<Model[]> {
    return this.#ask({ method: "GET", path: "/models", ...only(asked) });
  }

  /** Settings that a swap may say otherwise, by name. */
  settings(asked: Asked = {}): Promise<Record<string, Setting>> {
    return this.#ask({ method: "GET", path: "/settings", ...only(asked) });
  }

  /**
   * Hand photos of one person over, and say who consented to their use.
   *
   * @param photos Files.
   * @param said On what ground they may be used, and for what.
   * @throws {ApiError} There is no face on one of them, or it may not be used.
   */
  async addPerson(photos: readonly string[], said: NewPerson): Promise<Person> {
    const { name = "", ground, note = "", uses = ["image", "video"], days = 365 } = said;
    const ids: string[] = [];
    try {
      for (const photo of photos) ids.push((await this.#handOver<{ id: string }>("/photos", photo, said)).id);
      const json = { name, photos: ids, consent: { ground, note, uses, days } };
      return await this.#ask({ method: "POST", path: "/people", json, ...only(said) });
    } catch (fault) {
      // Nothing of them stays on the server that nobody knows of. Not by the same signal, which may be what stopped it.
      const signal = AbortSignal.timeout(PATIENCE_TO_REMOVE);
      await Promise.allSettled(ids.map((id) => this.#ask({ method: "DELETE", path: `/photos/${id}`, signal })));
      throw fault;
    }
  }

  /** Whose faces may be used. */
  people(asked: Asked = {}): Promise<Person[]> {
    return this.#ask({ method: "GET", path: "/people", ...only(asked) });
  }

  /**
   * Hand a picture or clip over, from the disk as it goes.
   *
   * @throws {ApiError} There is no such file, or it is no picture or clip.
   */
  handOver(path: string, asked: Asked = {}): Promise<Media> {
    return this.#handOver("/media", path, asked);
  }

  /**
   * Have somebody look who is in a clip, and wait for it.
   *
   * Meanwhile the line may break, and the server be started anew, as in `watch`.
   *
   * @throws {ApiError} Nobody could, or nothing is heard of it any more.
   */
  async whoIsThere(media: string, asked: Asked = {}): Promise<ClipPerson[]> {
    const path = `/media/${encodeURIComponent(media)}/people`;
    const look: Request = { method: "POST", path, ...only(asked) };
    const ask = (request: Request) => this.#askAgain<Schemas["WhoIsThere"]>(request, isAway);
    await this.#ask(look);
    for (;;) {
      const said = await ask({ ...look, method: "GET" }).catch((fault: unknown) => {
        if (fault instanceof ApiError && fault.status === 422) return ask(look); // nobody looks: the server was started anew
        throw fault;
      });
      if (said.state === "failed") throw new ApiError(said.error ?? "", said.hint ?? "", 200);
      if (said.state === "known") return said.people ?? [];
      await pause(EVERY, asked);
    }
  }

  /**
   * Order a swap. It is done in its turn: see `wait` and `watch`.
   *
   * @param target Id of a picture or clip.
   * @param person Id of whose face; null where `cast` says who gets whose.
   * @param said How it is to be.
   * @throws {ApiError} It can't be done as it is put, or the day's quota is used up.
   */
  swap(target: string, person: string | null, said: NewSwap = {}): Promise<Swap> {
    const { cast, others = "leave", format, settings = {} } = said;
    const json: Record<string, unknown> = { target, settings };
    if (person !== null) json["person"] = person;
    if (cast !== undefined) Object.assign(json, { cast, others });
    if (format !== undefined) json["format"] = format;
    return this.#ask({ method: "POST", path: "/swaps", json, ...only(said) });
  }

  /** All swaps of the token's user, the oldest first. */
  swaps(asked: Asked = {}): Promise<Swap[]> {
    return this.#ask({ method: "GET", path: "/swaps", ...only(asked) });
  }

  /** Pause a swap, let it go on, give it up, or have it done after all. */
  change(swap: string, what: "pause" | "resume" | "cancel" | "retry", asked: Asked = {}): Promise<Swap> {
    return this.#ask({ method: "POST", path: `/swaps/${encodeURIComponent(swap)}/${what}`, ...only(asked) });
  }

  /**
   * How far a swap is, whenever that changed, until it ended.
   *
   * The server tells it as it happens. If the line breaks meanwhile, the server is started anew, or it wants to be
   * asked later, the client comes back, for as many seconds as it waits for anything.
   *
   * @throws {ApiError} It failed, somebody gave it up, or nothing is heard of it any more.
   */
  async *watch(swap: string, asked: Asked = {}): AsyncGenerator<Swap, void, undefined> {
    let last = "";
    let lost: number | undefined; // since when nothing is heard of the swap
    for (;;) {
      let broken: unknown = new Error("the line broke");
      try {
        for await (const text of this.#events(swap, asked)) {
          lost = undefined;
          if (text === last) continue; // each line begins with how far it is
          last = text;
          const said = JSON.parse(text) as Swap;
          yield said;
          if (ended(said)) return;
        }
      } catch (fault) {
        if (fault instanceof ApiError && fault.status > 0 && fault.status < 500 && fault.status !== 429) throw fault;
        broken = fault;
      }
      asked.signal?.throwIfAborted();
      lost ??= Date.now();
      const wait = pauseAfter(broken);
      if (Date.now() - lost + wait > this.#line.seconds * 1000) throw unreached(broken);
      await pause(wait, asked);
    }
  }

  /**
   * Wait for a swap: what it says when it is done.
   *
   * @throws {ApiError} It failed, or somebody gave it up.
   */
  async wait(swap: string, asked: Asked = {}): Promise<Swap> {
    let last: Swap | undefined;
    for await (const said of this.watch(swap, asked)) last = said;
    return last as Swap; // it ends only after one that is done
  }

  /**
   * Fetch what a swap made, to a file that is not there yet. It is there whole, or not at all.
   *
   * @returns The file's path.
   * @throws {ApiError} It is there, can't be written, or the swap is not done.
   */
  fetch(swap: string, path: string, asked: Asked = {}): Promise<string> {
    return this.#fetch(`/swaps/${encodeURIComponent(swap)}/result`, path, asked);
  }

  /**
   * Fetch the signed Content Credentials of a result whose format can't hold them (mkv, webm).
   *
   * @param swap Id of the swap.
   * @param path The result's own name with `.c2pa` after it: there they are found.
   * @returns The file's path.
   * @throws {ApiError} It is there, can't be written, the swap is not done, or its result holds them itself.
   */
  fetchCredentials(swap: string, path: string, asked: Asked = {}): Promise<string> {
    return this.#fetch(`/swaps/${encodeURIComponent(swap)}/credentials`, path, asked);
  }

  async #fetch(address: string, path: string, asked: Asked): Promise<string> {
    await free(path);
    const answer = await this.#line.open({ method: "GET", path: address, ...only(asked) });
    try {
      await write(path, answer);
    } catch (fault) {
      asked.signal?.throwIfAborted();
      throw unreached(fault);
    }
    return path;
  }

  /** Have a file looked at: what is known of where it comes from. The server does not keep it. */
  inspect(path: string, asked: Asked = {}): Promise<Verdict> {
    return this.#handOver("/inspect", path, asked);
  }

  /**
   * Remove something; a swap that is not done is given up first, which takes some seconds where it runs.
   *
   * @throws {ApiError} There is no such thing, a swap needs it, or one that runs does not stop.
   */
  async remove(kind: Kind, id: string, asked: Asked = {}): Promise<void> {
    const request: Request = { method: "DELETE", path: `/${kind}/${encodeURIComponent(id)}`, ...only(asked) };
    // 409: it is being stopped.
    await this.#askAgain(request, (fault) => fault.status === 409 || fault.status === 429);
  }

  /**
   * Swap pictures as they come.
   *
   * @param person Id of whose face.
   * @param options How.
   * @throws {ApiError} The token is not for it, or the server can't be reached.
   */
  live(person: string, options: LiveOptions = {}): Promise<Live> {
    return new Live(this.#line, person, options).opened();
  }

  async *#events(swap: string, asked: Asked): AsyncGenerator<string> {
    const path = `/swaps/${encodeURIComponent(swap)}/events`;
    const answer = await this.#line.open({ method: "GET", path, ...only(asked) });
    try {
      yield* events(answer);
    } finally {
      answer.destroy();
    }
  }

  async #handOver<Answer>(place: string, path: string, asked: Asked): Promise<Answer> {
    const file = await toSend(path);
    return this.#ask({ method: "POST", path: place, query: { name: file.name }, file, ...only(asked) });
  }

  async #ask<Answer>(request: Request): Promise<Answer> {
    return (await this.#line.ask(request)) as Answer;
  }

  /** What is answered in the end, where an answer may be another one soon; for as many seconds as anything is waited for. */
  async #askAgain<Answer>(request: Request, again: (fault: ApiError) => boolean): Promise<Answer> {
    let until: number | undefined;
    for (;;) {
      try {
        return await this.#ask(request);
      } catch (fault) {
        if (!(fault instanceof ApiError) || !again(fault)) throw fault;
        const wait = pauseAfter(fault);
        until ??= Date.now() + this.#line.seconds * 1000;
        if (Date.now() + wait > until) throw fault;
        await pause(wait, request);
      }
    }
  }
}

/** Of what was said of a request, what the line needs. */
function only(asked: Asked): Asked {
  return asked.signal === undefined ? {} : { signal: asked.signal };
}

/** Whether a server could not be reached, or could not answer just then. */
function isAway(fault: ApiError): boolean {
  return fault.status === 0 || fault.status === 429 || fault.status >= 500;
}

/** Milliseconds after which to ask again: as many as the server said, or few. */
function pauseAfter(fault: unknown): number {
  return Math.max(EVERY, fault instanceof ApiError ? 1000 * (fault.retryAfter ?? 0) : 0);
}

/** @throws The signal's reason. */
async function pause(milliseconds: number, asked: Asked): Promise<void> {
  await sleep(milliseconds, undefined, only(asked)).catch((fault: unknown) => {
    asked.signal?.throwIfAborted();
    throw fault;
  });
}

/**
 * Whether a swap has ended.
 *
 * @throws {ApiError} It failed, or somebody gave it up.
 */
function ended(said: Swap): boolean {
  if (!ENDED.includes(said.state)) return false;
  if (said.state !== "done") {
    throw new ApiError(said.error || `the swap is ${said.state}`, said.hint || "Order it anew.", 200);
  }
  return true;
}
