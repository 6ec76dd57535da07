/** How far a swap is, over lines that break. */

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";

import { ApiError, Client } from "understudy-client";

import { ID, say, serving, swapped, TOKEN } from "./standins.js";

function stream(answer: ServerResponse, ...pieces: string[]): void {
  answer.writeHead(200, { "content-type": "text/event-stream" });
  for (const piece of pieces) answer.write(piece);
}

test("it comes back where the line breaks, and tells nothing twice", async (t) => {
  const lines = [
    (answer: ServerResponse) => {
      stream(answer, `event: swap\ndata: ${swapped("waiting", 0)}\n\n`, `data: ${swapped("running", 0.2)}\n\ndata: {"st`);
      setTimeout(() => answer.destroy(), 50);
    },
    (answer: ServerResponse) => answer.destroy(),
    (answer: ServerResponse) => say(answer, 503, { error: "busy", hint: "" }),
    (answer: ServerResponse) => say(answer, 429, { error: "too many requests", hint: "" }, { "retry-after": "1" }),
    (answer: ServerResponse) => {
      stream(answer, `data: ${swapped("running", 0.2)}\r\n\r\n: still here\n\n`);
      answer.end(); // as a server does that is started anew
    },
    (answer: ServerResponse) => {
      const last = Buffer.from(`data: ${swapped("done", 1).replace('"hint":""', '"hint":"好"')}\n\n`);
      answer.writeHead(200);
      for (const byte of last) answer.write(Buffer.from([byte])); // letters come in halves
    },
  ];
  const address = await serving(t, (_, answer) => void lines.shift()?.(answer));
  const client = new Client(address, TOKEN);
  t.after(() => client.close());
  const said = [];
  for await (const one of client.watch(ID)) said.push(`${one.state} ${one.share} ${one.hint}`);
  assert.deepEqual(said, ["waiting 0 ", "running 0.2 ", "done 1 好"]);
  assert.equal(lines.length, 0);
});

test("it comes back when the server says, unless that is too late", async (t) => {
  let after = "3";
  const asked: number[] = [];
  const address = await serving(t, (_, answer) => {
    asked.push(Date.now());
    if (asked.length !== 2) say(answer, 429, { error: "not now", hint: "Come back." }, { "retry-after": after });
    else stream(answer, `data: ${swapped("done", 1)}\n\n`);
  });
  const client = new Client(address, TOKEN);
  t.after(() => client.close());
  assert.equal((await client.wait(ID)).state, "done");
  assert.ok((asked[1] ?? 0) - (asked[0] ?? 0) >= 2900);
  after = "86400";
  await assert.rejects(client.wait(ID), (fault: ApiError) => fault.status === 429 && fault.retryAfter === 86_400);
  assert.equal(asked.length, 3);
});

test("it does not come back for ever", async (t) => {
  const address = await serving(t, (_, answer) => void answer.destroy());
  const client = new Client(address, TOKEN, { seconds: 0.5 });
  t.after(() => client.close());
  await assert.rejects(client.wait(ID), (fault: ApiError) => fault.status === 0 && /reached/.test(fault.message));
});

test("a refusal is told at once", async (t) => {
  let asked = 0;
  const address = await serving(t, (_, answer) => {
    asked++;
    say(answer, 404, { error: "there is no swap", hint: "Look." });
  });
  const client = new Client(address, TOKEN);
  t.after(() => client.close());
  await assert.rejects(client.wait(ID), (fault: ApiError) => fault.status === 404);
  assert.equal(asked, 1);
});

for (const state of ["failed", "cancelled", "gone"]) {
  test(`a swap that is ${state} is an error, once it was told`, async (t) => {
    const address = await serving(t, (_, answer) => stream(answer, `data: ${swapped(state, 0.5)}\n\n`));
    const client = new Client(address, TOKEN);
    t.after(() => client.close());
    const said: string[] = [];
    await assert.rejects(
      async () => {
        for await (const one of client.watch(ID)) said.push(one.state);
      },
      (fault: ApiError) => fault instanceof ApiError && fault.message.includes(state) && fault.hint !== "",
    );
    assert.deepEqual(said, [state]);
  });
}

test("an event without an end is not kept without an end", async (t) => {
  const address = await serving(t, (_, answer) => {
    stream(answer, "data: ");
    const timer = setInterval(() => answer.write("x".repeat(500_000)), 1);
    answer.on("close", () => clearInterval(timer));
  });
  const client = new Client(address, TOKEN, { seconds: 0.1 });
  t.after(() => client.close());
  await assert.rejects(client.wait(ID), (fault: ApiError) => /does not end/.test(fault.message));
});

test("who is in a clip is looked for anew where the server was started anew", async (t) => {
  const looking = (answer: ServerResponse) => say(answer, 202, { state: "looking" });
  const answers = [
    looking,
    (answer: ServerResponse) => answer.destroy(),
    (answer: ServerResponse) => say(answer, 503, { error: "it begins", hint: "" }),
    (answer: ServerResponse) => say(answer, 422, { error: "nobody looked who is in it yet", hint: "" }),
    looking,
    (answer: ServerResponse) => say(answer, 200, { state: "known", people: [] }),
    looking,
    (answer: ServerResponse) => say(answer, 404, { error: "there is no media", hint: "" }),
  ];
  const asked: (string | undefined)[] = [];
  const address = await serving(t, (request, answer) => {
    asked.push(request.method);
    answers.shift()?.(answer);
  });
  const client = new Client(address, TOKEN);
  t.after(() => client.close());
  assert.deepEqual(await client.whoIsThere(ID), []);
  assert.deepEqual(asked, ["POST", "GET", "GET", "GET", "POST", "GET"]);
  await assert.rejects(client.whoIsThere(ID), (fault: ApiError) => fault.status === 404);
});
