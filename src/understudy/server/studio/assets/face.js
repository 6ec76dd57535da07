// A face card: more photos of the same person may be dropped on it, or chosen with its button.
import { send } from "/assets/sending.js";

export default {
  template: `
    <li :class="{ over: over }" @dragenter.prevent="over = holdsFiles($event)" @dragover.prevent
        @dragleave="leave" @drop.prevent.stop="drop">
      <slot></slot>
      <button type="button" class="button bare face-more" :aria-label="more" :title="more" :disabled="share !== null"
              @click="$refs.files.click()">
        <span class="icon icon-plus" aria-hidden="true"></span>
      </button>
      <input ref="files" type="file" multiple tabindex="-1" class="spoken" :aria-label="more" :accept="accept"
             @change="chosen" />
      <progress v-if="share !== null" max="1" :value="share" :aria-label="busy"></progress>
    </li>`,
  props: { accept: String, more: String, busy: String },
  data: () => ({ over: false, share: null }),
  methods: {
    holdsFiles(event) {
      return event.dataTransfer.types.includes("Files");
    },
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
      for (const file of files) {
        this.share = 0;
        const answer = await send("photo", file, (share) => (this.share = share));
        this.share = null;
        if (answer.id) this.$emit("came", answer.id);
        else this.$emit("failed", answer.fault);
      }
    },
  },
};
