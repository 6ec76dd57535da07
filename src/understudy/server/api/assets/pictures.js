// Where a browser has no WebRTC: single pictures over a WebSocket, one on its way at a time.
const QUALITY = 0.85;
const WIDEST = 960;
// Milliseconds without an answer after which another picture is sent: one that was lost must not be the last.
const LOST = 3000;

export class Pictures {
  constructor(stream, canvas, { key, person, begun, drawn, ended }) {
    Object.assign(this, { canvas, begun, drawn, said: "", running: false, black: false, sent: Infinity });
    this.video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
    this.taken = document.createElement("canvas");
    // A header that scripts can set: the token stands in no address.
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/api/v1/live/frames`, ["understudy", key]);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = async () => {
      await this.video.play();
      this.socket.send(JSON.stringify({ person }));
      this.send();
    };
    this.socket.onmessage = (event) => this.take(event.data);
    this.socket.onclose = (event) => this.over || ended(this.said, event.code);
    this.watch = setInterval(() => performance.now() - this.sent > LOST && this.send(), LOST / 10);
  }

  send() {
    if (this.over || this.socket.readyState !== WebSocket.OPEN) return;
    this.sent = performance.now();
    if (!this.video.videoWidth) return; // the camera has given none yet
    const scale = Math.min(1, WIDEST / this.video.videoWidth);
    if (!this.taken.dataset.sized) {
      [this.taken.width, this.taken.height] = [this.video.videoWidth * scale, this.video.videoHeight * scale];
      this.taken.dataset.sized = "yes";
    }
    const context = this.taken.getContext("2d");
    if (this.black) context.fillRect(0, 0, this.taken.width, this.taken.height);
    else context.drawImage(this.video, 0, 0, this.taken.width, this.taken.height);
    this.taken.toBlob((data) => data && this.socket.readyState === WebSocket.OPEN && this.socket.send(data), "image/jpeg", QUALITY);
  }

  async take(data) {
    if (typeof data === "string") {
      const said = JSON.parse(data);
      if (said.error) this.said = `${said.error}. ${said.hint}`;
      return;
    }
    if (!this.running) {
      this.running = true; // from now on the server takes other words than the first
      this.begun();
    }
    this.send(); // the next is coded while this one is drawn
    const picture = await createImageBitmap(new Blob([new Uint8Array(data, 4)], { type: "image/jpeg" }));
    [this.canvas.width, this.canvas.height] = [picture.width, picture.height];
    this.canvas.getContext("bitmaprenderer").transferFromImageBitmap(picture);
    this.drawn();
  }

  /** Tell whether to cover; whether it could be told already. */
  cover(covered) {
    const can = this.running && this.socket.readyState === WebSocket.OPEN;
    if (can) this.socket.send(JSON.stringify({ covered }));
    return can;
  }

  close() {
    this.over = true;
    clearInterval(this.watch);
    this.socket.close();
    this.video.srcObject = null;
  }
}
