// A place to drop files on, with a button to choose them, and their progress.
import { dropping } from "/assets/dropping.js";

export default {
  mixins: [dropping],
  template: `
    <div class="picker" :class="{ over: over }" @dragenter.prevent="over = true" @dragover.prevent="over = true"
         @dragleave="leave" @drop.prevent="drop">
      <slot></slot>
      <button ref="pick" type="button" class="button plain pick" @click="$refs.files.click()" :disabled="share !== null">
        <span class="icon icon-plus" aria-hidden="true"></span><span>{{ share === null ? button : busy }}</span>
      </button>
      <span v-if="share === null" class="hint">{{ beside }}</span>
      <template v-else>
        <button type="button" class="button bare" @click="end"><span>{{ cancel }}</span></button>
        <progress max="1" :value="share" :aria-label="busy"></progress>
      </template>
      <input ref="files" type="file" tabindex="-1" :aria-label="button" class="spoken" :accept="accept"
             :multiple="several" @change="chosen" />
    </div>`,
  props: { kind: String, accept: String, several: Boolean, button: String, beside: String, busy: String },
};
