// A place to drop files on, with a button to choose them. Each goes to the server as it is, with its progress.
import { send } from "/assets/sending.js";

export default {
  template: `
    <div class="picker" :class="{ over: over }" @dragenter.prevent="over = true" @dragover.prevent="over = true"
         @dragleave="leave" @drop.prevent="drop">
      <slot></slot>
      <button type="button" class="button plain pick" @click="$refs.files.click()" :disabled="share !== null">
        <span class="icon icon-plus" aria-hidden="true"></span><span>{{ share === null ? button : busy }}</span>
      </button>
      <span v-if="share === null" class="hint">{{ beside }}</span>
      <progress v-else max="1" :value="share" :aria-label="busy"></progress>
      <input ref="files" type="file" tabindex="-1" :aria-label="button" class="spoken" :accept="accept"
             :multiple="several" @change="chosen" />
    </div>`,
  props: { kind: String, accept: String, several: Boolean, button: String, beside: String, busy: String },
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
      files.sort((one, other) => other.name.endsWith(".c2pa") - one.name.endsWith(".c2pa"));
      for (const file of this.several ? files : files.slice(0, 1)) {
        this.share = 0;
        const answer = await send(this.kind, file, (share) => (this.share = share));
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
