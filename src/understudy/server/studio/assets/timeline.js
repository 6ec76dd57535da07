// When each person is seen, where it cuts, and where to look twice; and the frame that is looked at.
export default {
  template: `
    <div class="timeline">
      <div class="timeline-buttons">
        <button type="button" class="button bare" @click="step(-1)" :aria-label="words.back" :title="words.back">
          <span class="icon icon-arrow turned" aria-hidden="true"></span></button>
        <button type="button" class="button bare" @click="step(1)" :aria-label="words.on" :title="words.on">
          <span class="icon icon-arrow" aria-hidden="true"></span></button>
        <span class="timeline-time">{{ clock(now) }} <span class="faint">/ {{ clock(length) }}</span></span>
        <span class="timeline-said" role="status">{{ said }}</span>
        <button v-if="known" type="button" class="button timeline-doubt" @click="next" :disabled="!doubts.length">
          <span class="icon icon-warning" aria-hidden="true"></span>
          <span>{{ doubts.length ? words.next : words.none }}</span></button>
      </div>
      <div class="timeline-lanes" @pointerdown="grip" @pointermove="drag" @pointerup="held = false"
           @pointercancel="held = false">
        <input class="timeline-range" type="range" min="0" :max="last" :step="frame" :value="now" :aria-label="words.seek"
               :aria-valuetext="clock(now) + (said ? ', ' + said : '')" @input="go(+$event.target.value)" />
        <div class="timeline-area" ref="area" aria-hidden="true">
          <div v-for="lane in lanes" class="lane">
            <span class="lane-name">{{ lane.name }}</span>
            <span v-for="part in lane.seen" class="lane-seen" :class="'tone-' + lane.tone" :style="place(part)"></span>
            <span v-for="doubt in lane.doubts" class="lane-doubt" :class="doubt.why" :style="place(doubt.when)"></span>
          </div>
          <div v-if="!lanes.length" class="lane"></div>
          <span v-for="cut in cuts" class="timeline-cut" :style="{ left: share(cut) }"></span>
          <span class="timeline-now" :style="{ left: share(now) }"></span>
        </div>
      </div>
    </div>`,
  props: {
    length: Number,
    frame: Number,
    start: Number,
    known: Boolean,
    cuts: Array,
    lanes: Array,
    doubts: Array,
    words: Object,
  },
  data: () => ({ now: 0, held: false }),
  mounted() {
    this.now = this.start;
  },
  computed: {
    last() {
      return Math.max(this.length - this.frame, 0);
    },
    said() {
      const here = this.doubts.filter((one) => this.now >= one.when[0] - 0.001 && this.now <= one.when[1] + 0.001);
      return here.map((one) => one.text).join(" · ");
    },
  },
  methods: {
    share(seconds) {
      return `${(100 * Math.min(seconds, this.length)) / Math.max(this.length, 0.001)}%`;
    },
    place([first, last]) {
      return { left: this.share(first), width: `max(3px, ${this.share(last - first + this.frame)})` };
    },
    clock(seconds) {
      const whole = Math.floor(seconds + 0.0005);
      const rest = String(Math.floor((seconds + 0.0005 - whole) * 100)).padStart(2, "0");
      return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}.${rest}`;
    },
    go(seconds) {
      this.now = Math.min(Math.max(seconds, 0), this.last);
      window.dispatchEvent(new CustomEvent("understudy-seek", { detail: this.now }));
      clearTimeout(this.telling);
      this.telling = setTimeout(() => this.$emit("seek", this.now), 200);
    },
    step(count) {
      this.go(Math.round(this.now / this.frame + count) * this.frame);
    },
    next() {
      const behind = this.doubts.find((one) => one.when[0] > this.now + this.frame / 2);
      const found = behind ?? this.doubts[0];
      if (found) this.go(found.when[0]);
    },
    grip(event) {
      if (event.button) return;
      this.held = true;
      event.currentTarget.setPointerCapture(event.pointerId);
      this.drag(event);
    },
    drag(event) {
      if (!this.held) return;
      const box = this.$refs.area.getBoundingClientRect();
      const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
      this.go(Math.round((share * this.length) / this.frame) * this.frame);
    },
  },
};
