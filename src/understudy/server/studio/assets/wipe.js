// The original and the result of one frame, left and right of a line that is moved by pointer or keys; or of a clip that
// is played.
import { Player } from "/assets/player.js";

const SETTLED = 120; // milliseconds without another frame being asked for, before the result is

export default {
  template: `
    <div class="wipe">
      <div ref="screen" class="wipe-screen" :style="{ aspectRatio: aspect }" @pointerdown="grip" @pointermove="drag"
           @pointerup="held = false" @pointercancel="held = false">
        <img v-if="before" class="wipe-picture" :src="before" :alt="label" draggable="false" />
        <img v-if="after" class="wipe-picture" :src="after" alt="" draggable="false"
             :style="{ clipPath: 'inset(0 0 0 ' + place + '%)' }" />
        <canvas v-show="drawn.before" ref="before" class="wipe-picture playing" aria-hidden="true"></canvas>
        <canvas v-show="drawn.after" ref="after" class="wipe-picture playing" aria-hidden="true"
                :style="{ clipPath: 'inset(0 0 0 ' + place + '%)' }"></canvas>
        <template v-if="after || drawn.after">
          <div class="wipe-line" :style="{ left: place + '%' }" aria-hidden="true"><span class="wipe-knob"></span></div>
          <input class="wipe-range" type="range" min="0" max="100" step="2" v-model.number="place" :aria-label="wipe"
                 :aria-valuetext="place + ' %'" />
        </template>
      </div>
      <div class="wipe-words">
        <template v-if="after || drawn.after">
          <span class="wipe-tag left" :class="{ away: place < 16 }" aria-hidden="true">{{ left }}</span>
          <span class="wipe-tag right" :class="{ away: place > 84 }" aria-hidden="true">{{ right }}</span>
        </template>
        <p v-if="working" class="wipe-note" role="status">{{ busy }}</p>
      </div>
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
    frame: Number,
  },
  data: () => ({
    seconds: 0,
    before: "",
    after: "",
    place: 50,
    held: false,
    working: false,
    playing: false,
    drawn: { before: false, after: false },
  }),
  mounted() {
    this.seconds = this.start;
    this.sought = (event) => {
      this.seconds = event.detail;
      if (this.playing) this.play(this.until);
      else this.show(true);
    };
    this.pressed = (event) => (this.playing ? this.pause() : this.play(event.detail));
    window.addEventListener("understudy-seek", this.sought);
    window.addEventListener("understudy-play", this.pressed);
    this.show(true);
  },
  unmounted() {
    window.removeEventListener("understudy-seek", this.sought);
    window.removeEventListener("understudy-play", this.pressed);
    this.player?.close();
    this.stop?.abort();
    this.firstStop?.abort();
  },
  watch: {
    clip() {
      this.pause();
      this.seconds = 0;
      this.show(true);
    },
    version() {
      if (!this.playing) this.show(false);
    },
    swaps() {
      if (!this.playing) this.show(false);
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
    // What was played last stays until both are there, if it is the same frame.
    async show(moved, same = false) {
      this.stop?.abort();
      clearTimeout(this.later);
      if (moved) {
        if (!same) this.drawn.after = false;
        this.put("after", "");
        this.original();
      }
      if (!this.swaps) {
        this.working = false;
        this.drawn.after = false;
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
          if (found && !this.playing) this.drawn.before = false;
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
        this.drawn.after = false;
      } catch {
        if (stop.signal.aborted) return;
      }
      this.working = false;
    },
    // From the frame that is looked at up to a time. What takes its time is the first frame: then all is opened.
    play(until) {
      this.player?.close();
      this.stop?.abort();
      clearTimeout(this.later);
      this.until = until;
      this.working = true;
      this.tell(true);
      this.player = new Player({
        place: `/clips/${this.clip}`,
        version: () => this.version,
        frame: this.frame,
        original: () => !this.swaps || this.place > 0,
        show: (...frame) => this.draw(...frame),
        ended: (fault) => this.pause(fault),
      });
      this.player.play(this.seconds, until);
    },
    pause(fault = null) {
      if (fault) this.$emit("failed", fault);
      if (!this.player) return;
      this.player.close();
      this.player = null;
      this.working = false;
      this.tell(false);
      window.dispatchEvent(new CustomEvent("understudy-paused", { detail: this.seconds }));
      this.show(true, true);
    },
    tell(on) {
      this.playing = on;
      window.dispatchEvent(new CustomEvent("understudy-playing", { detail: on }));
    },
    draw(seconds, original, result) {
      this.working = false;
      this.seconds = seconds;
      for (const [name, bitmap] of [
        ["before", original],
        ["after", result],
      ]) {
        if (!bitmap) continue;
        const canvas = this.$refs[name];
        if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
          canvas.width = bitmap.width;
          canvas.height = bitmap.height;
        }
        canvas.getContext("2d").drawImage(bitmap, 0, 0);
        bitmap.close();
        this.drawn[name] = true;
      }
      this.$el.dataset.played = Number(this.$el.dataset.played ?? 0) + 1;
      window.dispatchEvent(new CustomEvent("understudy-at", { detail: seconds }));
    },
    grip(event) {
      if (!(this.after || this.drawn.after) || event.button) return;
      this.held = true;
      this.$refs.screen.setPointerCapture(event.pointerId);
      this.drag(event);
    },
    drag(event) {
      if (!this.held) return;
      const box = this.$refs.screen.getBoundingClientRect();
      this.place = Math.round(Math.min(Math.max((100 * (event.clientX - box.left)) / box.width, 0), 100));
    },
  },
};
