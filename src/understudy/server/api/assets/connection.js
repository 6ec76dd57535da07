// One WebRTC connection to this server: a picture that is sent (WHIP) or watched (WHEP). Nothing is asked of any other
// server, so there are none to be named here.

/** What the server answered in place of a connection. */
export class Refusal extends Error {
  constructor(status, said, seconds) {
    super(said.error ?? "");
    this.status = status;
    this.hint = said.hint ?? "";
    this.seconds = seconds;
  }
}

/** Ask the server, and give what it says; a Refusal is thrown where it does not do it. */
export async function ask(path, { key, method = "GET", json, body, type } = {}) {
  const headers = { Authorization: `Bearer ${key}` };
  if (json !== undefined) [body, type] = [JSON.stringify(json), "application/json"];
  if (type) headers["Content-Type"] = type;
  const keepalive = method === "DELETE"; // what is given back is, even where the page goes meanwhile
  const answer = await fetch(path, { method, headers, body, keepalive, cache: "no-store", credentials: "omit" });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Refusal(answer.status, said, Number(answer.headers.get("Retry-After") ?? 0));
  }
  return answer;
}

/** A connection: `lost` is called once, when it has ended without `leave`. */
export class Connection {
  constructor(key, lost) {
    this.key = key;
    this.lost = lost;
    this.peer = new RTCPeerConnection({ iceServers: [] });
    this.peer.onconnectionstatechange = () => this.look();
  }

  look() {
    clearTimeout(this.doubt);
    const state = this.peer.connectionState;
    this.connected ||= state === "connected";
    if (state === "failed" || state === "closed") this.end();
    if (state === "disconnected") this.doubt = setTimeout(() => this.end(), 2000);
  }

  end() {
    if (this.over) return;
    this.over = true;
    this.peer.close();
    this.lost();
  }

  /** Send a camera's picture to a place. */
  async send(place, track) {
    track.contentHint = "motion";
    const { sender } = this.peer.addTransceiver(track, { direction: "sendonly" });
    await this.connect(place);
    const wanted = sender.getParameters();
    wanted.degradationPreference = "maintain-resolution";
    if (wanted.encodings?.length) Object.assign(wanted.encodings[0], { maxBitrate: 2_500_000, maxFramerate: 30 });
    await sender.setParameters(wanted).catch(() => {}); // a browser without such wishes sends as it likes
  }

  /** Watch a place in a <video>. */
  async watch(place, video) {
    const { receiver } = this.peer.addTransceiver("video", { direction: "recvonly" });
    // As soon as it comes: nobody hears it, so there is nothing to be in step with.
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
    this.receiver = receiver;
    await this.connect(place);
    video.srcObject = new MediaStream([receiver.track]);
    video.play().catch(() => {}); // it plays as soon as there is a picture
  }

  async connect(place) {
    await this.peer.setLocalDescription();
    const answer = await ask(place, {
      key: this.key, method: "POST", body: this.peer.localDescription.sdp, type: "application/sdp",
    });
    await this.peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  }

  /** Go, without a word: the server notices. */
  leave() {
    this.over = true;
    clearTimeout(this.doubt);
    this.peer.close();
  }
}
