// Somebody of a clip: a face card may be dropped on them, or a photo from a folder.
import { dropping } from "/assets/dropping.js";

export const FACE = "application/x-understudy-face";

export default {
  mixins: [dropping],
  template: `
    <li class="person" :class="{ over: over }" @dragenter.prevent="over = true" @dragover.prevent="over = true"
        @dragleave="leave" @drop.prevent.stop="drop">
      <slot></slot>
      <template v-if="share !== null">
        <progress max="1" :value="share" :aria-label="busy"></progress>
        <button type="button" class="button bare" @click="end"><span>{{ cancel }}</span></button>
      </template>
    </li>`,
  props: { busy: String },
  data: () => ({ kind: "photo", several: false }),
  methods: {
    drop(event) {
      this.over = false;
      const face = event.dataTransfer.getData(FACE);
      if (face) this.$emit("put", face);
      else this.take([...event.dataTransfer.files]);
    },
  },
};
