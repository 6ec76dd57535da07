// What all have in common on which files can be dropped, or for which they can be chosen. Each goes to the server as it is.
import { send } from "/assets/sending.js";

export const dropping = {
  data: () => ({ over: false, share: null }),
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
      for (const file of this.several ? files : files.slice(0, 1)) {
        this.share = 0;
        // A folder, or a file that was moved away meanwhile, would fail as if the studio did not answer.
        const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false);
        const answer = readable
          ? await send(this.kind, file, (share) => (this.share = share))
          : { fault: "fault.unread" };
        this.share = null;
        if (answer.id) this.$emit("done", answer.id);
        else {
          this.$emit("failed", answer.fault);
          this.$emit("refused", { fault: answer.fault, name: file.name });
        }
      }
    },
  },
};
