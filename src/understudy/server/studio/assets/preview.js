// The picture: JPEGs over a WebSocket, decoded beside the page, drawn at the screen's own pace. What was drawn is said
// to the server, which sends the newest picture then and none that nobody would see.
export default {
  template: `<canvas ref="canvas" class="picture" role="img" :aria-label="label" width="1280" height="720"></canvas>`,
  props: { place: String, label: String },
  mounted() {
    this.context = this.$refs.canvas.getContext("bitmaprenderer");
    this.drawn = this.cleared = 0;
    this.wait = 250;
    this.connect();
  },
  unmounted() {
    this.over = true;
    this.socket?.close();
  },
  methods: {
    connect() {
      if (this.over) return;
      this.last = 0; // a server that was started anew counts anew
      const socket = new WebSocket(`ws://${location.host}${this.place}`);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => (this.wait = 250);
      socket.onmessage = (event) => this.take(socket, event.data);
      socket.onclose = () => {
        setTimeout(() => this.connect(), this.wait);
        this.wait = Math.min(2 * this.wait, 4000);
      };
      this.socket = socket;
    },
    async take(socket, data) {
      if (data === "clear") {
        this.cleared += 1;
        this.next?.bitmap.close();
        this.next = null;
        this.context.transferFromImageBitmap(null);
        return;
      }
      const { cleared } = this;
      const number = new DataView(data).getUint32(0);
      const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 4)], { type: "image/jpeg" }));
      if (this.cleared !== cleared) return bitmap.close(); // what came before is not to be seen any more
      if (this.last > number) return bitmap.close(); // a later one was decoded sooner
      this.last = number;
      if (this.next) this.next.bitmap.close();
      else requestAnimationFrame(() => this.draw(socket));
      this.next = { number, bitmap };
    },
    draw(socket) {
      if (!this.next) return;
      const { number, bitmap } = this.next;
      this.next = null;
      const { canvas } = this.$refs; // as large as its picture, or that would be stretched
      if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      }
      this.context.transferFromImageBitmap(bitmap);
      this.$refs.canvas.dataset.drawn = ++this.drawn;
      if (socket.readyState === WebSocket.OPEN) socket.send(String(number));
    },
  },
};
