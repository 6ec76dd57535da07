// Swap yourself in the browser. The token stays in this tab (sessionStorage): it is in no address, so in no log.
import { Connection, Refusal, ask } from "./connection.js";
import { addPhoto } from "./photo.js";
import { Pictures } from "./pictures.js";
import { make, t } from "./texts.js";

const API = "/api/v1";
// Milliseconds that a first connection may take before single pictures are sent in its place.
const THROUGH = 8000;
const KEPT = { token: "understudy.token", chosen: "understudy.live" };

const main = document.querySelector("main");
const say = make("p", { class: "notice", role: "alert", hidden: true });
const token = make("input", { type: "password", autocomplete: "off", spellcheck: "false", required: true, id: "token" });
const people = make("select", { id: "person", change: () => choosePerson() });
const cameras = make("select", { id: "camera" });
const video = make("video", { autoplay: true, muted: true, playsinline: true, "aria-label": t("remote.picture") });
const canvas = make("canvas", { role: "img", "aria-label": t("remote.picture"), hidden: true });
const over = make("p", { class: "said", role: "status" }, t("remote.ready"));
const badge = make("span", { class: "badge", hidden: true, "aria-live": "polite" });
const figures = make("span", { class: "figures", hidden: true });
// There is nobody to begin with until it is known who there is.
const start = make(
  "button", { class: "go", id: "start", disabled: true, click: () => (running ? stop() : begin()) }, t("remote.start"));
const cover = make("button", { class: "cover", id: "cover", disabled: true, "aria-keyshortcuts": "c", click: () => turnCover() });
const link = make("button", { id: "link", disabled: true, click: () => copyLink() }, t("remote.link"));
const shown = make("input", { type: "text", readonly: true, hidden: true, "aria-label": t("remote.link") });
const door = make(
  "form", { class: "panel", submit: (event) => (event.preventDefault(), enter(token.value.trim())) },
  make("label", { for: "token" }, t("remote.token"), token),
  make("p", { class: "hint" }, t("remote.token_more")),
  make("div", { class: "row" }, make("button", { class: "go" }, t("remote.enter"))),
);
const setup = make(
  "section", { class: "panel", hidden: true },
  make("div", { class: "row" },
    make("label", { class: "field", for: "person" }, t("remote.person"), people),
    make("label", { class: "field", for: "camera" }, t("remote.camera"), cameras)),
  make("div", { class: "row" }, start, cover, link,
    make("button", { id: "add", click: () => newPhoto() }, t("remote.add")),
    make("button", { id: "leave", click: () => leave() }, t("remote.leave"))),
  shown,
);
const stage = make("section", { class: "stage", hidden: true }, video, canvas, badge, figures, over);
main.append(make("h1", {}, t("remote.title")), say, stage, setup, door);

let key = "";
let running = null; // what runs: {session, stream, sender, watcher, pictures}
let covered = false;
let frames = 0;

function tell(text = "", hint = "") {
  say.hidden = !text;
  say.textContent = [text, hint].filter(Boolean).join(" ");
}

/** What is said over the picture; nothing while there is one. */
function overlay(text = "") {
  over.hidden = !text;
  over.textContent = text;
}

/** What the reader is told of what the server refused, or of a server that does not answer. */
function explain(fault) {
  if (!(fault instanceof Refusal)) return t("remote.unreachable");
  if (fault.status === 401) return t("remote.revoked");
  if (fault.status === 503) return t("remote.full", { seconds: fault.seconds || 30 });
  if (fault.status === 429) return `${t("remote.used_up")} ${fault.hint}`;
  return `${t("remote.refused_by_server")} ${fault.message}. ${fault.hint}`;
}

/** What the reader is told of a camera that can't be had. */
function explainCamera(fault) {
  const known = {
    NotAllowedError: t("remote.camera_refused"), NotFoundError: t("remote.no_camera"),
    OverconstrainedError: t("remote.no_camera"), NotReadableError: t("remote.camera_in_use"),
    AbortError: t("remote.camera_in_use"),
  };
  return known[fault.name] ?? `${t("remote.no_camera")} ${fault.name}`;
}

async function enter(given) {
  key = given;
  try {
    const me = await (await ask(`${API}/me`, { key })).json();
    if (!me.scopes.includes("live")) return tell(t("remote.not_for_live"));
  } catch (fault) {
    return tell(fault.status === 401 ? t("remote.bad_token") : explain(fault));
  }
  sessionStorage.setItem(KEPT.token, key);
  token.value = "";
  tell();
  [door.hidden, setup.hidden, stage.hidden] = [true, false, false];
  await Promise.all([fillPeople(), fillCameras()]);
  const kept = JSON.parse(sessionStorage.getItem(KEPT.chosen) ?? "null");
  if (kept?.running && [...people.options].some((one) => one.value === kept.person)) {
    people.value = kept.person;
    await begin(kept.session); // the page was loaded anew in the middle
  }
}

async function leave() {
  await stop();
  sessionStorage.clear();
  location.reload();
}

async function fillPeople(chosen = people.value) {
  try {
    const all = await (await ask(`${API}/people`, { key })).json();
    const live = all.filter((one) => one.uses.includes("live"));
    people.replaceChildren(...live.map((one) => make("option", { value: one.id }, one.name || one.id.slice(0, 8))));
    if (chosen) people.value = chosen;
    if (!live.length) tell(t("remote.nobody"));
  } catch (fault) {
    tell(explain(fault));
  }
  start.disabled = !people.value;
}

async function fillCameras() {
  const found = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const own = found.filter((one) => one.kind === "videoinput");
  const before = cameras.value;
  cameras.replaceChildren(
    ...(own.length ? own : [{ deviceId: "", label: "" }]).map((one, place) =>
      make("option", { value: one.deviceId }, one.label || t("remote.some_camera", { number: place + 1 }))),
  );
  if (before) cameras.value = before;
}

async function newPhoto() {
  const added = await addPhoto(key, explain);
  if (added) await fillPeople(running ? people.value : added); // who is live stays, and a session knows whom it began with
}

async function openCamera() {
  if (!navigator.mediaDevices?.getUserMedia) throw Object.assign(new Error(), { said: t("remote.insecure") });
  const [width, height] = (await (await ask(`${API}/live`, { key })).json()).places.picture;
  const wanted = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30, max: 30 } };
  if (cameras.value) wanted.deviceId = { exact: cameras.value };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch (fault) {
    throw Object.assign(new Error(), { said: explainCamera(fault) });
  }
}

function keep(values) {
  sessionStorage.setItem(KEPT.chosen, JSON.stringify(values));
}

async function begin(session = null) {
  if (running) return;
  // told: whether the server has said that it covers; null while that is not known.
  const mine = (running = { session, stream: null, wait: 500, told: session ? null : false, person: people.value });
  covered = false;
  tell();
  overlay(t("remote.starting"));
  look();
  try {
    if (session) await takeOver(mine);
    mine.stream = await openCamera();
    await fillCameras();
    mine.stream.getVideoTracks()[0].addEventListener("ended", () => mine === running && cameraGone());
  } catch (fault) {
    if (mine !== running) return leaveAlone(mine);
    await stop();
    return tell(fault.said ?? explain(fault));
  }
  if (mine !== running) return leaveAlone(mine); // stopped meanwhile
  if (!window.RTCPeerConnection) {
    tell(t("remote.no_webrtc"));
    return beginPictures(mine);
  }
  await connect(mine);
}

/** A session that goes on after the page was loaded anew stays covered if it was. */
async function takeOver(mine) {
  try {
    const said = await (await ask(`${API}/live/${mine.session}`, { key })).json();
    if (said.state === "ended") mine.session = null;
    else covered = said.covered;
  } catch (fault) {
    if (fault.status !== 404) throw fault;
    mine.session = null;
  }
  mine.told = mine.session ? covered : false;
  look();
}

/** By single pictures: one session a person. Where the server has no place for it yet, it is asked some times more. */
function beginPictures(mine, more = 0) {
  [video.hidden, canvas.hidden] = [true, false];
  mine.pictures = new Pictures(mine.stream, canvas, {
    key, person: people.value,
    begun: () => tellCover(mine),
    drawn,
    ended: (said, code) => {
      if (mine !== running) return;
      if (code === 1013 && more) {
        mine.timer = setTimeout(() => mine === running && beginPictures(mine, more - 1), 1000);
        return;
      }
      stop();
      tell(code === 1013 ? t("remote.full", { seconds: 30 }) : said || t("remote.unreachable"));
    },
  });
  shade(mine);
}

/** Another person's face, by single pictures: another session takes the place of this one. */
function exchange(mine) {
  clearTimeout(mine.timer);
  mine.pictures.close();
  mine.told = false;
  overlay(t("remote.starting"));
  beginPictures(mine, 5);
}

/** Where the server answers and no connection comes through, as in a tunnel: single pictures, by the way that pages come. */
function fallBack(mine) {
  if (mine !== running || mine.pictures || mine.through || mine.sender?.connected) return;
  if (mine.connecting) return fallBackLater(mine, 500);
  clearTimeout(mine.timer);
  drop(mine);
  if (mine.session) ask(`${API}/live/${mine.session}`, { key, method: "DELETE" }).catch(() => {}); // it ends by itself
  [mine.session, mine.told] = [null, false];
  sessionStorage.removeItem(KEPT.chosen);
  tell(t("remote.blocked"));
  beginPictures(mine);
  for (const track of mine.stream.getVideoTracks()) track.enabled = true; // what is black by now is the pictures' own
}

function fallBackLater(mine, milliseconds) {
  mine.doubt = setTimeout(() => fallBack(mine), milliseconds);
}

async function cameraGone() {
  await stop();
  tell(t("remote.camera_lost"));
}

/** Connect, and again whenever that broke, until it is stopped or the server says why not. */
async function connect(mine) {
  if (mine !== running || mine.pictures) return;
  if (mine.connecting) return connectLater(mine);
  mine.connecting = true;
  drop(mine);
  try {
    if (!mine.session) {
      mine.person = people.value;
      const others = [...people.options].map((one) => one.value).filter((one) => one !== people.value).slice(0, 7);
      const begun = await ask(`${API}/live/sessions`, { key, method: "POST", json: { people: [people.value, ...others] } });
      [mine.session, mine.told] = [(await begun.json()).id, false];
    }
    await tellCover(mine); // before any picture is sent
    if (mine !== running) return leaveAlone(mine);
    const place = `${API}/live/${mine.session}`;
    const lost = () => mine === running && reconnect(mine);
    mine.sender = new Connection(key, lost);
    await mine.sender.send(`${place}/whip`, mine.stream.getVideoTracks()[0]);
    if (!mine.doubt) fallBackLater(mine, THROUGH);
    if (mine !== running) return leaveAlone(mine);
    mine.watcher = new Connection(key, lost);
    await mine.watcher.watch(`${place}/whep`, video);
    if (mine !== running) return leaveAlone(mine);
    keep({ running: true, session: mine.session, person: people.value });
    mine.wait = 500;
    if (mine.broken) tell(t("remote.back"));
    mine.broken = false;
    if (mine.person !== people.value) await choosePerson(); // another was chosen meanwhile
  } catch (fault) {
    if (mine !== running) return leaveAlone(mine);
    if (fault instanceof Refusal && fault.status === 404 && mine.session) mine.session = null;
    else if (fault instanceof Refusal && fault.status !== 500) {
      await stop();
      tell(explain(fault));
      return;
    } else tell(explain(fault));
    reconnect(mine);
  } finally {
    mine.connecting = false;
  }
}

/** Give back what an attempt had that was stopped meanwhile. */
function leaveAlone(mine) {
  mine.stream?.getTracks().forEach((track) => track.stop());
  drop(mine);
  if (mine.session) ask(`${API}/live/${mine.session}`, { key, method: "DELETE" }).catch(() => {}); // it ends by itself
}

/** Leave its connections. */
function drop(mine) {
  mine.through ||= mine.sender?.connected;
  for (const one of [mine.sender, mine.watcher]) one?.leave();
  mine.sender = mine.watcher = null;
}

function reconnect(mine) {
  if (mine !== running) return;
  if (!mine.broken) tell(t("remote.lost"));
  mine.broken = true;
  overlay(t("remote.lost"));
  connectLater(mine);
  mine.wait = Math.min(2 * mine.wait, 4000);
}

/** Another session takes the place of one that is no more: the connections would notice seconds later. */
function replace(mine, session) {
  if (mine !== running || mine.session !== session || mine.connecting) return;
  mine.session = null;
  reconnect(mine);
}

function connectLater(mine) {
  clearTimeout(mine.timer);
  mine.timer = setTimeout(() => connect(mine), mine.wait);
}

async function stop() {
  const mine = running;
  running = null;
  covered = false;
  sessionStorage.removeItem(KEPT.chosen);
  clearTimeout(mine?.timer);
  clearTimeout(mine?.doubt);
  mine?.pictures?.close();
  video.srcObject = null;
  [video.hidden, canvas.hidden, shown.hidden] = [false, true, true];
  overlay(t("remote.ready"));
  look();
  if (mine) leaveAlone(mine);
}

async function choosePerson() {
  const mine = running;
  if (mine?.pictures) return exchange(mine);
  if (!mine?.session) return; // it is told once there is one
  try {
    const person = people.value;
    await ask(`${API}/live/${mine.session}/person`, { key, method: "POST", json: { person } });
    mine.person = person;
    if (mine === running) keep({ running: true, session: mine.session, person });
  } catch (fault) {
    tell(explain(fault));
  }
}

async function turnCover() {
  const mine = running;
  if (!mine) return;
  covered = !covered;
  if (mine.pictures || mine.sender) shade(mine); // else nothing is sent before the server was told
  look();
  try {
    await tellCover(mine);
  } catch (fault) {
    tell(explain(fault)); // it is told again once a second, and nothing of the camera is sent until then
  }
}

/** Black is sent for as long as it is to be covered and the server has not said that it does. */
function shade(mine) {
  const black = covered && mine.told !== true;
  if (mine.pictures) mine.pictures.black = black;
  else for (const track of mine.stream?.getVideoTracks() ?? []) track.enabled = !black;
}

/** Tell the server whether to cover, one call after the other, until it has said what is wished by then. */
function tellCover(mine) {
  mine.telling ??= telling(mine).finally(() => (mine.telling = null));
  return mine.telling;
}

async function telling(mine) {
  if (mine.pictures?.cover(covered)) mine.told = covered; // what is sent after it is covered: one line has one order
  while (mine === running && mine.session && mine.told !== covered) {
    const [wished, session] = [covered, mine.session];
    mine.told = null;
    await ask(`${API}/live/${session}/cover`, { key, method: "POST", json: { covered: wished } });
    if (mine.session === session) mine.told = wished; // another has not heard of it
  }
  shade(mine);
}

async function copyLink() {
  try {
    const made = await (await ask(`${API}/live/${running.session}/keys`, { key, method: "POST", json: {} })).json();
    [shown.value, shown.hidden] = [location.origin + made.page, false];
    shown.select();
    await navigator.clipboard?.writeText(shown.value).catch(() => {}); // it stands there to be copied
    tell(t("remote.link_more"));
  } catch (fault) {
    tell(explain(fault));
  }
}

function look() {
  start.textContent = t(running ? "remote.stop" : "remote.start");
  cover.replaceChildren(t(covered ? "remote.uncover" : "remote.cover"), make("kbd", { "aria-hidden": "true" }, "C"));
  [cover.disabled, link.disabled, cameras.disabled] = [!running, !running?.session, Boolean(running)];
  badge.hidden = !running;
  badge.className = covered ? "badge covered" : "badge";
  badge.textContent = t(covered ? "remote.covered" : "remote.on");
}

/** Once a second: how it fares, and whether the server has ended it. */
async function figure() {
  const mine = running;
  figures.hidden = !mine;
  const fps = frames;
  frames = 0;
  if (!mine) return;
  let late = null;
  if (mine.session && !mine.connecting) {
    const session = mine.session;
    try {
      const said = await (await ask(`${API}/live/${session}`, { key })).json();
      late = said.latency_ms.p50;
      if (mine.told === null && said.state !== "ended") await tellCover(mine); // what was told last did not arrive
      if (said.state === "ended" && mine === running && said.error) {
        mine.session = null;
        await stop();
        return tell(said.error.includes("revoked") ? t("remote.revoked") : `${t("remote.ended")} ${said.error}. ${said.hint}`);
      }
      if (said.state === "ended") replace(mine, session);
    } catch (fault) {
      if (fault.status === 404) replace(mine, session);
      if (fault.status === 401 && mine === running) {
        mine.session = null;
        await stop();
        return tell(t("remote.revoked"));
      }
    }
  }
  figures.textContent = t("remote.figures", { fps, late: late == null ? "–" : Math.round(late) });
  look();
}

function drawn() {
  frames++;
  if (running && !running.broken) overlay();
  document.body.dataset.drawn = Number(document.body.dataset.drawn ?? 0) + 1;
}

function videoDrawn() {
  drawn();
  video.requestVideoFrameCallback(videoDrawn);
}

video.requestVideoFrameCallback?.(videoDrawn);
setInterval(figure, 1000);
document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input:not([readonly]), select, dialog");
  if (event.key.toLowerCase() === "c" && !event.ctrlKey && !event.metaKey && !event.altKey && !writing) turnCover();
});
navigator.mediaDevices?.addEventListener("devicechange", fillCameras);
look();
const kept = sessionStorage.getItem(KEPT.token);
if (kept) enter(kept);
