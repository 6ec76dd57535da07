/**
 * Against a real server: `UNDERSTUDY_TEST` holds, as JSON, its address, a token, one whose user may swap nothing, a
 * photo, a clip, pictures of the clip, and a folder to write to. `tests/clients/test_node.py` starts it.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { ApiError, Client, type Swap } from "understudy-client";

interface Given {
  address: string;
  token: string;
  poor: string;
  photo: string;
  clip: string;
  pictures: string[];
  folder: string;
}

const said = process.env["UNDERSTUDY_TEST"];
const given = said === undefined ? null : (JSON.parse(said) as Given);
const real = given === null ? { skip: "UNDERSTUDY_TEST names no server" } : {};

function asking(t: TestContext, token?: string): [Client, Given] {
  assert.ok(given);
  const client = new Client(given.address, token ?? given.token);
  t.after(() => client.close());
  return [client, given];
}

test("from a photo to a finished file", real, async (t) => {
  const [client, given] = asking(t);
  const person = await client.addPerson([given.photo], { ground: "sample", name: "hopper" });
  assert.equal(person.name, "hopper");
  const clip = await client.handOver(given.clip);
  const bytes = await readFile(given.clip);
  assert.equal(clip.sha256, createHash("sha256").update(bytes).digest("hex"));
  assert.equal(clip.kind, "video");
  const ordered = await client.swap(clip.id, person.id, { settings: { "blend.strength": 0.9 } });
  const told: Swap[] = [];
  for await (const one of client.watch(ordered.id)) told.push(one);
  assert.equal(told.at(-1)?.state, "done");
  assert.deepEqual(told.map((one) => one.share), told.map((one) => one.share).sort((a, b) => a - b));
  assert.equal((await client.wait(ordered.id)).state, "done");
  const made = await client.fetch(ordered.id, join(given.folder, "made.mp4"));
  assert.ok((await stat(made)).size > 1000);
  await assert.rejects(client.fetch(ordered.id, made), (fault: ApiError) => /there already/.test(fault.message));
  assert.equal((await client.inspect(made))["verdict"], "made by this tool");
  assert.ok((await client.swaps()).some((one) => one.id === ordered.id));
  assert.ok((await client.people()).some((one) => one.id === person.id));
  await client.remove("swaps", ordered.id);
  assert.ok(!(await client.swaps()).some((one) => one.id === ordered.id));
});

test("photos of somebody who can't be added do not stay on the server", real, async (t) => {
  const [client, given] = asking(t);
  const there = async (): Promise<number> => {
    const answer = await fetch(new URL("/api/v1/photos", given.address), {
      headers: { Authorization: `Bearer ${given.token}` },
    });
    return ((await answer.json()) as unknown[]).length;
  };
  const before = await there();
  await assert.rejects(client.addPerson([given.photo], { ground: "granted", note: "" }), ApiError);
  await assert.rejects(client.addPerson([given.photo, join(given.folder, "none.jpg")], { ground: "sample" }), ApiError);
  assert.equal(await there(), before);
});

test("what the token may, models and settings", real, async (t) => {
  const [client] = asking(t);
  const me = await client.me();
  assert.ok(me.scopes.includes("live"));
  assert.equal(me.state, "valid");
  assert.ok(me.used_today.clips >= 0);
  assert.ok((await client.models()).some((one) => one.name === "inswapper_128" && !one.here));
  const strength = (await client.settings())["blend.strength"];
  assert.equal(strength?.schema["type"], "number");
  assert.equal(typeof strength?.by_itself, "number");
});

test("who is in a clip, and who gets whose face", real, async (t) => {
  const [client, given] = asking(t);
  const clip = await client.handOver(given.clip);
  const people = await client.whoIsThere(clip.id);
  assert.equal(people.length, 1);
  assert.equal(people[0]?.number, 1);
  const person = await client.addPerson([given.photo], { ground: "sample" });
  const swap = await client.swap(clip.id, null, { cast: [{ who: 1, person: person.id }], others: "blur", format: "mov" });
  assert.equal((await client.change(swap.id, "cancel")).state === "done", false);
  await assert.rejects(client.wait(swap.id), (fault: ApiError) => /cancelled/.test(fault.message));
  await client.change(swap.id, "retry");
  assert.equal((await client.wait(swap.id)).state, "done");
});

test("live pictures come back labelled", real, async (t) => {
  const [client, given] = asking(t);
  const person = await client.addPerson([given.photo], { ground: "sample", uses: ["live"] });
  const live = await client.live(person.id, { settings: { "blend.strength": 0.9 } });
  const frames = live[Symbol.asyncIterator]();
  const times: number[] = [];
  for (const path of given.pictures) {
    const picture = await readFile(path);
    await live.give(picture);
    const back = await frames.next();
    assert.ok(!back.done);
    assert.equal(back.value.picture.readUInt16BE(0), 0xffd8); // a JPEG
    assert.notDeepEqual(back.value.picture, picture);
    times.push(back.value.milliseconds);
    await writeFile(join(given.folder, `${times.length}.jpg`), back.value.picture);
  }
  assert.deepEqual(times, [...times].sort((a, b) => a - b));
  await live.close();
  assert.ok((await frames.next()).done);
  await assert.rejects(live.give(Buffer.from("x")), ApiError);
});

test("nobody is seen while they are covered", real, async (t) => {
  const [client, given] = asking(t);
  const person = await client.addPerson([given.photo], { ground: "sample", uses: ["live"] });
  const live = await client.live(person.id);
  const frames = live[Symbol.asyncIterator]();
  const picture = await readFile(given.pictures[0] ?? "");
  const bytes: number[] = [];
  for (const covered of [false, true, false]) {
    await live.cover(covered);
    await live.give(picture);
    bytes.push((await frames.next()).value?.picture.length ?? 0);
  }
  const [seen = 0, blurred = 0, again = 0] = bytes;
  assert.ok(blurred > 0 && blurred < 0.8 * Math.min(seen, again), bytes.join()); // what is blurred all over takes less
  await live.close();
  await assert.rejects(live.cover(true), ApiError);
});

test("what is wrong with a live session is told", real, async (t) => {
  const [client, given] = asking(t);
  const live = await client.live("0".repeat(32));
  await live.give(await readFile(given.pictures[0] ?? ""));
  await assert.rejects(live[Symbol.asyncIterator]().next(), (fault: ApiError) => fault.status === 422 && fault.hint !== "");
  const stranger = new Client(given.address, "x");
  await assert.rejects(stranger.live("0".repeat(32)), (fault: ApiError) => fault.status === 403);
});

test("what the server refuses is an error with a hint", real, async (t) => {
  const [client, given] = asking(t);
  const no = join(given.folder, "no.mp4");
  await writeFile(no, "no clip");
  await assert.rejects(client.handOver(no), (fault: ApiError) => fault.status === 422 && fault.hint !== "");
  await writeFile(no, "");
  await assert.rejects(client.handOver(no), (fault: ApiError) => fault.status === 422);
  const made = join(given.folder, "none.mp4");
  await assert.rejects(client.fetch("0".repeat(32), made), (fault: ApiError) => fault.status === 404);
  await assert.rejects(client.fetchCredentials("0".repeat(32), made), (fault: ApiError) => fault.status === 404);
  await assert.rejects(client.fetch("../../me", made), (fault: ApiError) => fault.status >= 404);
  assert.ok(!existsSync(made));
  const stranger = new Client(given.address, "x");
  await assert.rejects(stranger.me(), (fault: ApiError) => fault.status === 401 && /token/.test(fault.message));
  await assert.rejects(stranger.handOver(given.clip), (fault: ApiError) => fault.status === 401);
});

test("a used-up quota says when to come back", real, async (t) => {
  const [client, given] = asking(t, given_poor());
  const person = await client.addPerson([given.photo], { ground: "sample" });
  const clip = await client.handOver(given.clip);
  await assert.rejects(client.swap(clip.id, person.id), (fault: ApiError) => {
    assert.equal(fault.status, 429);
    assert.ok(fault.retryAfter !== null && fault.retryAfter > 0 && fault.retryAfter <= 86400);
    return true;
  });
});

function given_poor(): string {
  assert.ok(given);
  return given.poor;
}
