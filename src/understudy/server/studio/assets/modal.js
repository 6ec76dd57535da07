// Questions before the page: the browser's own dialog, which keeps the keyboard in it and closes on Escape.

export default {
  template: `
    <dialog ref="dialog" class="modal" :aria-labelledby="labelledBy" @click="outside" @close="tell">
      <div class="modal-body">
        <button type="button" class="button bare modal-close" :aria-label="closeLabel" :title="closeLabel" @click="close">
          <span class="icon icon-close" aria-hidden="true"></span>
        </button>
        <slot></slot>
      </div>
    </dialog>`,
  props: { closeLabel: String, labelledBy: String },
  unmounted() {
    clearTimeout(this.again);
  },
  methods: {
    open(number) {
      clearTimeout(this.again);
      this.number = number;
      if (!this.$refs.dialog.open) this.$refs.dialog.showModal();
    },
    close() {
      this.$refs.dialog.close();
    },
    // Until the server has heard it: what is sent while the connection breaks is lost, and nothing else would be asked.
    tell() {
      this.$emit("closed", this.number);
      this.again = setTimeout(this.tell, 1000);
    },
    heard(number) {
      if (number === this.number) clearTimeout(this.again);
    },
    outside(event) {
      if (event.target === this.$refs.dialog) this.close();
    },
  },
};
