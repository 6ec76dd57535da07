// Somebody of a clip: a face card may be dropped on them, or a photo from a folder.
import { send } from "/assets/sending.js";

export const FACE = "application/x-understudy-face";

export default {
  template: `
    <li class="person" :class="{ over: over }" @dragenter.prevent="over = true" @dragover.prevent="over = true"
        @dragleave="leave" @drop.prevent.stop="drop">
      <slot></slot>
      <progress v-if="share !== null" max="1" :value="share" :aria-label="busy"></progress>
    </li>`,
  props: { busy: String },
  data: () => ({ over: false, share: null }),
  methods: {
    leave(event) {
      if (!this.$el.contains(event.relatedTarget)) this.over = false;
    },
    async drop(event) {
      this.over = false;
      const face = event.dataTransfer.getData(FACE);
      if (face) {
        this.$emit("put", face);
        return;
      }
      const [file] = event.dataTransfer.files;
      if (!file) return;
      this.share = 0;
      const answer = await send("photo", file, (share) => (this.share = share));
      this.share = null;
      if (answer.id) this.$emit("came", answer.id);
      else this.$emit("failed", answer.fault);
    },
  },
};
