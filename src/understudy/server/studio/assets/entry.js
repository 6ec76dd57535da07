// A line of text or a slider that keeps what is being written while the page around it changes.
export default {
  template: `<input :value="own" @input="typed" @change="$emit('left', own)" />`,
  props: { begin: [String, Number] },
  data() {
    return { own: this.begin };
  },
  methods: {
    clear() {
      this.own = "";
    },
    typed(event) {
      this.own = event.target.value;
      this.$emit("typed", this.own);
    },
  },
};
