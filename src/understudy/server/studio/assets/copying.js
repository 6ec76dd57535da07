// A button that puts a text on the clipboard, and says so for a moment.
const SAID = 2500; // milliseconds

export default {
  template: `
    <span class="copying">
      <button type="button" class="button bare" :aria-label="label || null" :title="label || null" @click="copy">
        <span class="icon" :class="copied ? 'icon-check' : 'icon-copy'" aria-hidden="true"></span>
        <span v-if="words">{{ copied ? done : words }}</span>
      </button>
      <span class="spoken" role="status">{{ copied ? done : "" }}</span>
    </span>`,
  props: { copies: String, words: String, label: String, done: String },
  data: () => ({ copied: false }),
  methods: {
    async copy() {
      try {
        await navigator.clipboard.writeText(this.copies);
      } catch {
        return; // a window without a clipboard, or that may not use it: nothing is said that is not so
      }
      this.copied = true;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => (this.copied = false), SAID);
    },
  },
};
