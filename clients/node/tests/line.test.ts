/** What goes wrong on the way to a server, and with files. */

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { ApiError, Client } from "understudy-client";

import { bytesOf, ID, say, serving, swapped, TOKEN } from "./standins.js";

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "understudy-client-"));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

function asking(t: TestContext, address: string, options = {}): Client {
  const client = new Client(address, TOKEN, options);
  t.after(() => client.close());
  return client;
}

/** Whether an error is the client's own, with a hint. */
function told(status: number, words: RegExp) {
  return (fault: unknown): boolean => {
    assert.ok(fault instanceof ApiError, String(fault));
    assert.match(fault.message, words);
    assert.equal(fault.status, status);
    assert.ok(fault.hint);
    assert.ok(!JSON.stringify([fault.message, fault.hint, fault.stack]).includes(TOKEN));
    return true;
  };
}

for (const wrong of ["", "127.0.0.1", "ftp://a", "http://a/b", "http://a?b", "file:///etc/passwd", "http://u:p@a"]) {
  test(`no address of a server: ${wrong}`, () => {
    assert.throws(() => new Client(wrong, TOKEN), told(0, /address/));
  });
}

for (const wrong of ["", "a b", "a\r\nX-More: 1"]) {
  test(`no token: ${JSON.stringify(wrong)}`, () => {
    assert.throws(() => new Client("http://localhost", wrong), told(0, /token/));
  });
}

for (const wrong of [0, -1, Number.NaN, Infinity]) {
  test(`no number of seconds: ${wrong}`, () => {
    assert.throws(() => new Client("http://localhost", TOKEN, { seconds: wrong }), told(0, /seconds/));
  });
}

test("a server that is not there is told of", async (t) => {
  await assert.rejects(asking(t, "http://127.0.0.1:9").me(), told(0, /reached/));
  await assert.rejects(asking(t, "http://127.0.0.1:9").live(ID), told(0, /reached/));
});

for (const status of [301, 302, 303, 307, 308]) {
  test(`the token does not follow a ${status} to another server`, async (t) => {
    const seen: unknown[] = [];
    const elsewhere = await serving(t, (request, answer) => {
      seen.push(request.headers);
      say(answer, 200, {});
    });
    const address = await serving(t, (request, answer) => {
      answer.writeHead(status, { location: `${elsewhere}${request.url}` }).end();
    });
    const client = asking(t, address);
    const file = join(await folder(t), "clip.mp4");
    await writeFile(file, "clip");
    await assert.rejects(client.me(), told(status, /another address/));
    await assert.rejects(client.handOver(file), told(status, /another address/));
    await assert.rejects(client.fetch(ID, `${file}.made`), told(status, /another address/));
    await assert.rejects(client.wait(ID), told(status, /another address/));
    assert.deepEqual(seen, []);
  });
}

test("a WebSocket does not follow either", async (t) => {
  const seen: unknown[] = [];
  const elsewhere = createServer().on("upgrade", (request, socket) => {
    seen.push(request.headers);
    socket.destroy();
  });
  const there = await serving(t, elsewhere);
  const here = createServer().on("upgrade", (_, socket) => {
    socket.end(`HTTP/1.1 307 Over There\r\nLocation: ${there}/\r\nContent-Length: 0\r\n\r\n`);
  });
  await assert.rejects(asking(t, await serving(t, here)).live(ID), told(307, /another address/));
  assert.deepEqual(seen, []);
});

test("what the server says of a refusal is the error", async (t) => {
  const address = await serving(t, (_, answer) => {
    say(answer, 429, { error: "too many requests", hint: "Come back.", status: 429 }, { "retry-after": "7" });
  });
  await assert.rejects(asking(t, address).swaps(), (fault: ApiError) => {
    assert.equal(fault.retryAfter, 7);
    assert.equal(fault.hint, "Come back.");
    return told(429, /^too many requests$/)(fault);
  });
});

for (const [status, body] of [[502, "<html>Bad Gateway</html>"], [503, ""], [500, "null"], [404, "[]"]] as const) {
  test(`whatever a proxy answers is an error: ${status} ${body}`, async (t) => {
    const address = await serving(t, (_, answer) => void answer.writeHead(status).end(body));
    await assert.rejects(asking(t, address).me(), told(status, new RegExp(`answered with ${status}`)));
  });
}

test("an answer that is no JSON is told of", async (t) => {
  const address = await serving(t, (_, answer) => void answer.end("<html>"));
  await assert.rejects(asking(t, address).me(), told(200, /no JSON/));
});

test("a server that says nothing is not waited for without an end", async (t) => {
  const silent = await serving(t, () => undefined);
  await assert.rejects(asking(t, silent, { seconds: 0.3 }).me(), told(0, /nothing came/));
  const halfway = await serving(t, (_, answer) => void answer.writeHead(200, { "content-length": 100 }).write("{"));
  await assert.rejects(asking(t, halfway, { seconds: 0.3 }).me(), told(0, /nothing came/));
});

test("a signal ends what is asked, with its own reason", async (t) => {
  const address = await serving(t, (request, answer) => {
    if (request.url?.endsWith("/result")) answer.writeHead(200, { "content-length": 100 }).write("half");
    else if (request.url?.endsWith("/events")) {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.write(`data: ${swapped("running", 0.5)}\n\n`);
    }
  });
  const client = asking(t, address);
  const path = join(await folder(t), "made.mp4");
  const reason = new Error("enough");
  for (const asked of [
    (signal: AbortSignal) => client.me({ signal }),
    (signal: AbortSignal) => client.fetch(ID, path, { signal }),
    (signal: AbortSignal) => client.wait(ID, { signal }),
    (signal: AbortSignal) => client.live(ID, { signal }),
  ]) {
    const control = new AbortController();
    setTimeout(() => control.abort(reason), 100);
    await assert.rejects(asked(control.signal), reason);
    await assert.rejects(asked(AbortSignal.abort(reason)), reason);
  }
  assert.deepEqual(await readdir(join(path, "..")), []);
});

test("a result that breaks off leaves nothing, and none is written over", async (t) => {
  let whole = false;
  const address = await serving(t, (_, answer) => {
    answer.writeHead(200, { "content-length": 8 }).write("half");
    if (whole) answer.end("half");
    else setTimeout(() => answer.destroy(), 50);
  });
  const client = asking(t, address);
  const place = await folder(t);
  await assert.rejects(client.fetch(ID, join(place, "made.mp4")), told(0, /reached/));
  assert.deepEqual(await readdir(place), []);
  whole = true;
  assert.equal(await client.fetch(ID, join(place, "made.mp4")), join(place, "made.mp4"));
  await assert.rejects(client.fetch(ID, join(place, "made.mp4")), told(0, /there already/));
  const both = await Promise.allSettled([1, 2].map(() => client.fetch(ID, join(place, "again.mp4"))));
  assert.deepEqual(both.map((one) => one.status).sort(), ["fulfilled", "rejected"]);
  await assert.rejects(client.fetch(ID, join(place, "nowhere", "made.mp4")), told(0, /written/));
  assert.deepEqual((await readdir(place)).sort(), ["again.mp4", "made.mp4"]);
  assert.equal(await readFile(join(place, "made.mp4"), "utf8"), "halfhalf");
});

test("a file that is refused is not sent", async (t) => {
  const got: number[] = [];
  const server = createServer();
  server.on("checkContinue", (_, answer) => {
    say(answer, 413, { error: "too large", hint: "Send less." });
  });
  const address = await serving(t, server.on("request", async (request) => got.push(await bytesOf(request))));
  const file = join(await folder(t), "clip.mp4");
  await writeFile(file, "");
  await truncate(file, 50_000_000);
  await assert.rejects(asking(t, address).handOver(file), told(413, /too large/));
  assert.deepEqual(got, []);
});

test("a server that knows no Expect gets the file all the same, and whole", async (t) => {
  const server = createServer((request, answer) => {
    void bytesOf(request).then((count) => say(answer, 201, { id: ID, bytes: count }));
  });
  server.on("checkContinue", (request, answer) => server.emit("request", request, answer)); // says no "continue"
  const file = join(await folder(t), "clip.mp4");
  await writeFile(file, "");
  await truncate(file, 30_000_000);
  assert.equal((await asking(t, await serving(t, server)).handOver(file)).bytes, 30_000_000);
});

test("a file that becomes shorter, is none or is not there", async (t) => {
  const place = await folder(t);
  const file = join(place, "clip.mp4");
  await writeFile(file, "");
  await truncate(file, 30_000_000);
  const server = createServer();
  server.on("checkContinue", async (request, answer) => {
    await truncate(file, 1000);
    answer.writeContinue();
    request.resume();
  });
  const client = asking(t, await serving(t, server));
  await assert.rejects(client.handOver(file), told(0, /shorter/));
  await assert.rejects(client.handOver(join(place, "gone.mp4")), told(0, /no file/));
  await assert.rejects(client.handOver(place), told(0, /no file/));
  await assert.rejects(client.inspect(place), told(0, /no file/));
  await assert.rejects(client.addPerson([place], { ground: "self" }), told(0, /no file/));
});

test("a kept connection that the server has closed meanwhile is no error", async (t) => {
  const server = createServer((_, answer) => say(answer, 200, []));
  server.keepAliveTimeout = 1;
  const client = asking(t, await serving(t, server));
  for (let count = 0; count < 20; count++) {
    assert.deepEqual(await client.people(), []);
    await new Promise((resolve) => setTimeout(resolve, count % 5));
  }
});

test("what is being stopped is removed once it has stopped, unless that takes too long", async (t) => {
  let left = 2;
  const address = await serving(t, (_, answer) => {
    if (left-- > 0) say(answer, 409, { error: "the swap is being stopped", hint: "Wait." }, { "retry-after": "1" });
    else answer.writeHead(204).end();
  });
  const client = asking(t, address, { seconds: 3 });
  await client.remove("swaps", ID);
  assert.equal(left, -1);
  left = Infinity;
  await assert.rejects(client.remove("swaps", ID), told(409, /stopped/));
});
