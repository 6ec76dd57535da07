// The browser's own input, which keeps what is being written or moved: the page is drawn anew several times a second, and
// would set it back to what the server heard last.
export default {
  template: `<input :value="written" @input="written = $event.target.value" />`,
  props: { value: [String, Number] },
  data: () => ({ written: "" }),
  created() {
    this.written = this.value;
  },
  watch: {
    value(said) {
      if (document.activeElement !== this.$el) this.written = said;
    },
  },
};
