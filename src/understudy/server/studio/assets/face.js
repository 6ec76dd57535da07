// A face card: more photos of the same person may be dropped on it, or chosen with its button.
import { dropping } from "/assets/dropping.js";

export default {
  mixins: [dropping],
  template: `
    <li :class="{ over: over }" @dragenter.prevent="over = holdsFiles($event)" @dragover.prevent
        @dragleave="leave" @drop.prevent.stop="drop">
      <slot></slot>
      <button v-if="share === null" ref="pick" type="button" class="button bare face-more" :aria-label="more" :title="more"
              @click="$refs.files.click()">
        <span class="icon icon-plus" aria-hidden="true"></span>
      </button>
      <button v-else type="button" class="button bare face-more coming" :aria-label="cancel" :title="cancel" @click="end">
        <span class="icon icon-close" aria-hidden="true"></span>
      </button>
      <input ref="files" type="file" multiple tabindex="-1" class="spoken" :aria-label="more" :accept="accept"
             @change="chosen" />
      <progress v-if="share !== null" max="1" :value="share" :aria-label="busy"></progress>
    </li>`,
  props: { accept: String, more: String, busy: String },
  data: () => ({ kind: "photo", several: true }),
  methods: {
    holdsFiles(event) {
      return event.dataTransfer.types.includes("Files");
    },
  },
};
