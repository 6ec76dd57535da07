// Single keys that do something, wherever nothing is being written. A dialog in front is to be answered first.
const WRITING = "input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable]";

export default {
  template: `<span hidden :data-keys-on="on"></span>`,
  props: { keys: Array, on: Boolean },
  mounted() {
    this.pressed = (event) => {
      if (!this.on || event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      if (event.target instanceof Element && event.target.matches(WRITING)) return;
      const key = event.key.toLowerCase();
      if (!this.keys.includes(key)) return;
      event.preventDefault();
      this.$emit("shortcut", key, event.timeStamp / 1000, document.querySelector("dialog[open]") !== null);
    };
    window.addEventListener("keydown", this.pressed);
  },
  unmounted() {
    window.removeEventListener("keydown", this.pressed);
  },
};
