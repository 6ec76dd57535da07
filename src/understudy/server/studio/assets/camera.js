// This tab's camera, sent to the studio while it is wanted: by WebRTC, or as single pictures where there is none, or where
// it does not get through, as in a tunnel.
const KEPT = "understudy.tab";
const FREE = "understudy.tab.free";
const AGAIN = 1000;
// Milliseconds that a connection may take before single pictures are sent in its place.
const PATIENCE = 5000;

/** The id of this tab: it stays when the page is loaded anew, and is another one in a tab that was duplicated. */
function tabId() {
  const kept = sessionStorage.getItem(FREE) ? sessionStorage.getItem(KEPT) : null;
  const id = kept ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem(KEPT, id);
  sessionStorage.removeItem(FREE);
  return id;
}

export default {
  template: `<span hidden :data-sending="sending"></span>`,
  props: { place: String, wanted: Boolean, format: Object },
  data: () => ({ sending: false }),
  mounted() {
    this.tab = tabId();
    this.free = () => sessionStorage.setItem(FREE, "yes");
    window.addEventListener("pagehide", this.free);
    this.$emit("tab", this.tab);
    if (this.wanted) this.start();
  },
  unmounted() {
    window.removeEventListener("pagehide", this.free);
    this.stop();
  },
  watch: {
    wanted(now) {
      if (now) this.start();
      else this.stop();
    },
    format(now, before) {
      if (!this.run || JSON.stringify(now) === JSON.stringify(before)) return;
      this.stop();
      this.start();
    },
  },
  methods: {
    async start() {
      const mine = (this.run = {});
      if (!navigator.mediaDevices?.getUserMedia) return this.$emit("fault", "insecure");
      const fault = await this.open(mine);
      if (fault && this.run === mine) this.$emit("fault", fault.name);
    },
    /** Have the camera, and send it: the error of a browser that does not give it. */
    async open(mine) {
      // The studio is on this very machine: one of few cores has to code, swap and show each picture.
      const usual = navigator.hardwareConcurrency < 4 ? [640, 360] : [1280, 720];
      const format = this.format;
      const [width, height] = format.width ? [format.width, format.height] : usual;
      const rate = (mine.rate = format.rate ?? 30);
      const video = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: rate, max: rate } };
      let stream;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      } catch (fault) {
        return fault;
      }
      if (this.run !== mine) return stream.getTracks().forEach((track) => track.stop());
      mine.stream = stream;
      this.$emit("asked", format);
      stream.getVideoTracks()[0].addEventListener("ended", () => this.again(mine, this.reopen));
      this.send(mine);
    },
    send(mine) {
      if (window.RTCPeerConnection && !mine.blocked) this.connect(mine);
      else this.pictures(mine);
    },
    /** A camera that was unplugged is used again when it is back. */
    async reopen(mine) {
      const fault = await this.open(mine);
      if (!fault || this.run !== mine) return;
      if (fault.name === "NotAllowedError") this.$emit("fault", fault.name); // it is not to be asked for again
      else this.again(mine, this.reopen);
    },
    stop() {
      const mine = this.run;
      this.run = null;
      this.sending = false;
      if (!mine) return;
      clearTimeout(mine.timer);
      clearTimeout(mine.waiting);
      mine.peer?.close();
      mine.socket?.close();
      mine.stream?.getTracks().forEach((track) => track.stop());
    },
    again(mine, work) {
      if (this.run !== mine) return;
      this.sending = false;
      mine.peer?.close();
      mine.socket?.close();
      mine.peer = mine.socket = null;
      clearTimeout(mine.timer);
      mine.timer = setTimeout(() => this.run === mine && work(mine), AGAIN);
    },
    async connect(mine) {
      const peer = (mine.peer = new RTCPeerConnection({ iceServers: [] }));
      peer.onconnectionstatechange = () => {
        if (mine.peer !== peer || this.run !== mine) return;
        this.sending = peer.connectionState === "connected";
        mine.through ||= this.sending;
        mine.blocked ||= peer.connectionState === "failed" && !mine.through;
        if (this.sending) clearTimeout(mine.waiting);
        if (["failed", "closed", "disconnected"].includes(peer.connectionState)) this.again(mine, this.send);
      };
      try {
        const [track] = mine.stream.getVideoTracks();
        track.contentHint = "motion";
        const { sender } = peer.addTransceiver(track, { direction: "sendonly" });
        await peer.setLocalDescription();
        const answer = await fetch(`${this.place}?tab=${this.tab}`, {
          method: "POST", body: peer.localDescription.sdp, headers: { "Content-Type": "application/sdp" },
        });
        if (!answer.ok) throw new Error(String(answer.status));
        await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
        clearTimeout(mine.waiting);
        mine.waiting = setTimeout(() => {
          if (mine.peer !== peer || this.run !== mine || this.sending) return;
          mine.blocked = true; // the studio answers, and nothing comes through
          this.again(mine, this.send);
        }, PATIENCE);
        const wanted = sender.getParameters();
        wanted.degradationPreference = "maintain-resolution";
        if (wanted.encodings?.length) Object.assign(wanted.encodings[0], { maxBitrate: 3_500_000, maxFramerate: mine.rate });
        await sender.setParameters(wanted).catch(() => {}); // a browser without such wishes sends as it likes
      } catch {
        if (mine.peer === peer) this.again(mine, this.send);
      }
    },
    async pictures(mine) {
      const { stream } = mine;
      const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
      await video.play().catch(() => {}); // it went meanwhile
      if (this.run !== mine || mine.stream !== stream || !stream.active) return;
      const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
      const socket = (mine.socket = new WebSocket(`ws://${location.host}${this.place}/pictures?tab=${this.tab}`));
      const send = () => {
        if (this.run !== mine || socket.readyState !== WebSocket.OPEN) return;
        canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
        canvas.toBlob(sendCoded, "image/jpeg", 0.9);
      };
      const sendCoded = (data) => {
        if (this.run !== mine || socket.readyState !== WebSocket.OPEN) return;
        if (data) socket.send(data);
        else setTimeout(send, AGAIN); // the browser could not code this one: it must not be the last
      };
      socket.onopen = () => ((this.sending = true), send());
      socket.onmessage = send;
      socket.onclose = () => mine.socket === socket && this.again(mine, this.send);
    },
  },
};
