// Single keys that do something, wherever nothing is being written, nor chosen from a list. A dialog in front is to be
// answered first. Keys that are urgent work in both.
const WRITING = "input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, [contenteditable]";

export default {
  template: `<span hidden :data-keys-on="on"></span>`,
  props: { keys: Array, urgent: Array, on: Boolean },
  mounted() {
    this.pressed = (event) => {
      if (!this.on || event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      const target = event.target instanceof Element ? event.target : document.body;
      const key = letter(event);
      if (!this.keys.includes(key) || target.matches(WRITING)) return;
      if (target.matches("select") && !this.urgent.includes(key)) return;
      event.preventDefault();
      this.$emit("shortcut", key, event.timeStamp / 1000, document.querySelector("dialog[open]") !== null);
    };
    window.addEventListener("keydown", this.pressed);
  },
  unmounted() {
    window.removeEventListener("keydown", this.pressed);
  },
};

// The letter of a key; where the keyboard writes other letters (Hangul, Cyrillic), that of the place it has.
function letter(event) {
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  return event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : "";
}
