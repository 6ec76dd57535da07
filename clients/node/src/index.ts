/**
 * Asks an Understudy server.
 *
 * @packageDocumentation
 */

export type {
  ClipPerson, Ground, Kind, Me, Media, Model, NewPerson, NewSwap, Part, Person, Setting, Swap, Use, Verdict,
} from "./client.js";
export { Client } from "./client.js";
export { ApiError } from "./error.js";
export type { Asked, Options } from "./line.js";
export type { Figures, Frame, Live, LiveOptions } from "./live.js";
