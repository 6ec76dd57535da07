/** Files on this machine: streamed in pieces, written whole or not at all. */

import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, link, lstat, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";

import { ApiError } from "./error.js";

/** Bytes that are read at a time. */
const PIECE = 1 << 20;
/** What a file system says that knows no links. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** A file that is to be handed over. */
export interface Sent {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
}

/**
 * A file, before it is handed over.
 *
 * @throws {ApiError} There is no such file.
 */
export async function toSend(path: string): Promise<Sent> {
  const found = await stat(path).catch((fault: unknown) => {
    throw new ApiError(`there is no file ${path}`, "Check the path and its spelling.", 0, null, { cause: fault });
  });
  if (!found.isFile()) throw new ApiError(`${path} is no file`, "Name a picture or clip.");
  return { path, name: basename(path), bytes: found.size };
}

/**
 * A file's bytes: as many as were announced.
 *
 * @throws {ApiError} It has fewer by now.
 */
export async function* pieces(file: Sent): AsyncGenerator<Buffer> {
  if (file.bytes === 0) return;
  let left = file.bytes;
  for await (const piece of createReadStream(file.path, { end: file.bytes - 1, highWaterMark: PIECE })) {
    left -= (piece as Buffer).length;
    yield piece as Buffer;
  }
  if (left > 0) throw new ApiError(`${file.path} became shorter while it was read`, "Hand it over again.");
}

/**
 * Make sure that nothing is there yet, before anything is fetched for it.
 *
 * @throws {ApiError} Something is.
 */
export async function free(path: string): Promise<void> {
  if (await lstat(path).catch(() => null)) throw taken(path);
}

/**
 * Write a file that is not there yet, whole or not at all.
 *
 * The bytes go to another name beside it, and get theirs once all are on the disk.
 *
 * @throws {ApiError} It can't be written, or there is one by now.
 */
export async function write(path: string, bytes: Readable): Promise<void> {
  const part = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.part`);
  const file: FileHandle = await open(part, "wx").catch((fault: unknown) => {
    bytes.destroy();
    throw unwritten(path, fault);
  });
  try {
    try {
      await writeFile(file, bytes); // piece by piece, as they come
      await file.sync();
    } catch (fault) {
      if (bytes.errored) throw fault; // the line's, not the disk's
      throw unwritten(path, fault);
    } finally {
      await file.close();
    }
    await named(part, path);
  } finally {
    await rm(part, { force: true });
  }
}

/** Give a file its name, if that is still free. */
async function named(part: string, path: string): Promise<void> {
  try {
    await link(part, path); // unlike a renaming, it does not take another file's place
  } catch (fault) {
    const code = (fault as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") throw taken(path, fault);
    if (!NO_LINKS.has(code)) throw fault;
    await free(path);
    await rename(part, path);
  }
}

function unwritten(path: string, cause: unknown): ApiError {
  const why = (cause as NodeJS.ErrnoException).code ?? "";
  return new ApiError(`${path} can't be written: ${why}`, "Is its folder there, yours, and the disk not full?", 0, null, { cause });
}

function taken(path: string, cause?: unknown): ApiError {
  return new ApiError(`${path} is there already`, "Choose another name, or remove it first.", 0, null, { cause });
}
