// One session's picture and nothing else, for OBS. Which one, and the key to it, stand behind the # of the address:
// that part is sent to no server.
import { Connection } from "./connection.js";

const STALE = 2000;
const video = document.querySelector("video");
const [, session, key] = /^#([0-9a-f]{32})\.(view_[\w-]{43})$/.exec(location.hash) ?? [];
let wait = 500;
let last = 0;

function drawn() {
  last = performance.now();
  video.style.visibility = "visible";
  video.requestVideoFrameCallback(drawn);
}

/** While no picture comes nothing is shown: what is behind this source in OBS is seen. */
function hide() {
  if (performance.now() - last > STALE) video.style.visibility = "hidden";
  document.body.dataset.state = video.style.visibility;
}

function again() {
  setTimeout(show, wait);
  wait = Math.min(2 * wait, 5000);
}

async function show() {
  const connection = new Connection(key, again);
  connection.peer.addEventListener("connectionstatechange", () => {
    if (connection.peer.connectionState === "connected") wait = 500;
  });
  try {
    await connection.watch(`/api/v1/live/${session}/whep`, video);
  } catch {
    connection.leave();
    again();
  }
}

if (session) {
  video.requestVideoFrameCallback(drawn);
  setInterval(hide, 250);
  show();
}
window.addEventListener("hashchange", () => location.reload());
