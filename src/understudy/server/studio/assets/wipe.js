// The original and the result of one frame, left and right of a line that is moved by pointer or keys.
const SETTLED = 120; // milliseconds without another frame being asked for, before the result is

export default {
  template: `
    <div class="wipe" :class="{ working: working }" :style="{ aspectRatio: aspect }" @pointerdown="grip"
         @pointermove="drag" @pointerup="held = false" @pointercancel="held = false">
      <img v-if="before" class="wipe-picture" :src="before" :alt="label" draggable="false" />
      <img v-if="after" class="wipe-picture" :src="after" alt="" draggable="false"
           :style="{ clipPath: 'inset(0 0 0 ' + place + '%)' }" />
      <template v-if="after">
        <span class="wipe-tag left" :class="{ away: place < 16 }" aria-hidden="true">{{ left }}</span>
        <span class="wipe-tag right" :class="{ away: place > 84 }" aria-hidden="true">{{ right }}</span>
        <div class="wipe-line" :style="{ left: place + '%' }" aria-hidden="true"><span class="wipe-knob"></span></div>
        <input class="wipe-range" type="range" min="0" max="100" step="2" v-model.number="place" :aria-label="wipe"
               :aria-valuetext="place + ' %'" />
      </template>
      <p v-if="working" class="wipe-note" role="status">{{ busy }}</p>
      <slot></slot>
    </div>`,
  props: {
    clip: String,
    version: Number,
    swaps: Boolean,
    aspect: String,
    start: Number,
    label: String,
    wipe: String,
    left: String,
    right: String,
    busy: String,
  },
  data: () => ({ seconds: 0, before: "", after: "", place: 50, held: false, working: false }),
  mounted() {
    this.seconds = this.start;
    this.sought = (event) => {
      this.seconds = event.detail;
      this.show(true);
    };
    window.addEventListener("understudy-seek", this.sought);
    this.show(true);
  },
  unmounted() {
    window.removeEventListener("understudy-seek", this.sought);
    this.stop?.abort();
    this.firstStop?.abort();
  },
  watch: {
    clip() {
      this.seconds = 0;
      this.show(true);
    },
    version() {
      this.show(false);
    },
    swaps() {
      this.show(false);
    },
  },
  methods: {
    address(which) {
      return `/clips/${this.clip}/${which}.jpg?at=${this.seconds.toFixed(4)}&version=${this.version}`;
    },
    async picture(which, signal) {
      const answer = await fetch(this.address(which), { signal });
      if (answer.status === 200) return URL.createObjectURL(await answer.blob());
      if (answer.status === 422) this.$emit("failed", await answer.json());
      return "";
    },
    put(name, address) {
      const old = this[name];
      this[name] = address;
      if (old) setTimeout(() => URL.revokeObjectURL(old), 1000);
    },
    // One original is fetched at a time, and the newest is always shown in the end; the result comes when it is quiet.
    async show(moved) {
      this.stop?.abort();
      clearTimeout(this.later);
      if (moved) {
        this.put("after", "");
        this.original();
      }
      if (!this.swaps) {
        this.working = false;
        this.put("after", "");
        return;
      }
      this.working = true;
      this.later = setTimeout(() => this.result(), SETTLED);
    },
    async original() {
      this.again = this.fetching;
      if (this.fetching) return;
      this.fetching = true;
      do {
        this.again = false;
        this.firstStop = new AbortController();
        try {
          const found = await this.picture("original", this.firstStop.signal);
          if (found) this.put("before", found);
        } catch {
          break; // the page goes, or the studio has gone: that is said elsewhere
        }
      } while (this.again);
      this.fetching = false;
    },
    async result() {
      const stop = (this.stop = new AbortController());
      try {
        const found = await this.picture("swapped", stop.signal);
        if (stop.signal.aborted) return;
        this.put("after", found);
      } catch {
        if (stop.signal.aborted) return;
      }
      this.working = false;
    },
    grip(event) {
      if (!this.after || event.button) return;
      this.held = true;
      this.$el.setPointerCapture(event.pointerId);
      this.drag(event);
    },
    drag(event) {
      if (!this.held) return;
      const box = this.$el.getBoundingClientRect();
      this.place = Math.round(Math.min(Math.max((100 * (event.clientX - box.left)) / box.width, 0), 100));
    },
  },
};
