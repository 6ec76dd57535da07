// What all have in common on which files can be dropped, or for which they can be chosen. Each goes to the server as it is.
import { send } from "/assets/sending.js";

export const dropping = {
  props: { cancel: String },
  data: () => ({ over: false, share: null }),
  created() {
    this.waiting = [];
  },
  methods: {
    leave(event) {
      if (!this.$el.contains(event.relatedTarget)) this.over = false;
    },
    drop(event) {
      this.over = false;
      this.take([...event.dataTransfer.files]);
    },
    chosen(event) {
      const files = [...event.target.files];
      event.target.value = "";
      this.take(files);
    },
    async take(files) {
      // Credentials that lie beside a file come before it.
      this.$emit("begins");
      files.sort((one, other) => other.name.endsWith(".c2pa") - one.name.endsWith(".c2pa"));
      this.waiting.push(...(this.several ? files : files.slice(0, 1)));
      if (this.share !== null) return; // what is on its way goes first
      while (this.waiting.length) await this.hand(this.waiting.shift());
      this.share = null;
      if (!this.stop.signal.aborted) return;
      await this.$nextTick();
      this.$refs.pick?.focus(); // the keyboard was on what ended it, which is gone
    },
    async hand(file) {
      this.share = 0;
      this.stop = new AbortController();
      // A folder, or a file that was moved away meanwhile, would fail as if the studio did not answer.
      const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false);
      const answer = readable
        ? await send(this.kind, file, (share) => (this.share = share), this.stop.signal)
        : { fault: "fault.unread" };
      if (answer.id) this.$emit("done", answer.id);
      else if (answer.fault) {
        this.$emit("failed", answer.fault);
        this.$emit("refused", { fault: answer.fault, name: file.name });
      }
    },
    // What has come stays; of what is on its way nothing does, and what waits does not go.
    end() {
      this.waiting.length = 0;
      this.stop.abort();
    },
  },
};
