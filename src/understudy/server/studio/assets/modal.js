// A question before the page: the browser's own dialog, which keeps the keyboard in it and closes on Escape.
export default {
  template: `
    <dialog ref="dialog" class="modal" :aria-labelledby="labelledBy" @click="outside" @close="$emit('closed')">
      <div class="modal-body">
        <button type="button" class="button bare modal-close" :aria-label="closeLabel" :title="closeLabel" @click="close">
          <span class="icon icon-close" aria-hidden="true"></span>
        </button>
        <slot></slot>
      </div>
    </dialog>`,
  props: { closeLabel: String, labelledBy: String },
  methods: {
    open() {
      if (!this.$refs.dialog.open) this.$refs.dialog.showModal();
    },
    close() {
      this.$refs.dialog.close();
    },
    outside(event) {
      if (event.target === this.$refs.dialog) this.close();
    },
  },
};
