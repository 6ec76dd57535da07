// When each person is seen, where it cuts, and where to look twice; the frame that is looked at; which part of the clip is
// written, and its stretches with settings of their own.
import { clock, secondsOf } from "/assets/clock.js";

export default {
  template: `
    <div class="timeline">
      <div class="timeline-buttons">
        <button type="button" class="button play" @click="play" :aria-label="playing ? words.pause : words.play"
                :title="playing ? words.pause : words.play">
          <span class="icon" :class="playing ? 'icon-pause' : 'icon-play'" aria-hidden="true"></span></button>
        <button type="button" class="button bare" @click="step(-1)" :aria-label="words.back" :title="words.back">
          <span class="icon icon-arrow turned" aria-hidden="true"></span></button>
        <button type="button" class="button bare" @click="step(1)" :aria-label="words.on" :title="words.on">
          <span class="icon icon-arrow" aria-hidden="true"></span></button>
        <span class="timeline-time">{{ clock(now) }} <span class="faint">/ {{ clock(length) }}</span></span>
        <span class="timeline-said" role="status"><span v-if="said" class="doubtful">{{ said }}</span>
          <span v-if="here" class="timeline-here" :title="here.text">{{ here.short }}</span></span>
        <button v-if="known" type="button" class="button timeline-doubt" @click="next" :disabled="!doubts.length">
          <span class="icon icon-warning" aria-hidden="true"></span>
          <span>{{ doubts.length ? words.next : words.none }}</span></button>
      </div>
      <div class="timeline-rows">
        <div class="timeline-lanes" @pointerdown="grip" @pointermove="drag" @pointerup="held = false"
             @pointercancel="held = false">
          <input class="timeline-range" type="range" min="0" :max="last" :step="frame" :value="now"
                 :aria-label="words.seek" :aria-valuetext="clock(now) + (told ? ', ' + told : '')"
                 @input="go(+$event.target.value)" @keydown="key" />
          <div class="timeline-area" ref="area" aria-hidden="true">
            <div v-for="lane in lanes" class="lane">
              <span class="lane-name">{{ lane.name }}</span>
              <span v-for="part in lane.seen" class="lane-seen" :class="'tone-' + lane.tone" :style="place(part)"></span>
              <span v-for="doubt in lane.doubts" class="lane-doubt" :class="doubt.why" :style="place(doubt.when)"></span>
            </div>
            <div v-if="!lanes.length" class="lane"></div>
            <span v-for="cut in cuts" class="timeline-cut" :style="{ left: share(cut) }"></span>
          </div>
        </div>
        <div class="lane stretches" @pointerdown.self="jump" @pointermove="drag" @pointerup="held = false"
             @pointercancel="held = false">
          <span class="lane-name" aria-hidden="true">{{ words.stretches }}</span>
          <template v-for="one in shown" :key="one.id">
            <button type="button" class="stretch" :class="[one.do, { chosen: one.id === chosen }]"
                    :aria-pressed="one.id === chosen ? 'true' : 'false'" :aria-label="one.text" :title="one.text"
                    :style="span(one.start, one.end)" @pointerdown="pull($event, 'both', one)" @click="choose(one)"
                    @keydown.delete.prevent="remove(one)">{{ one.short }}</button>
            <span v-for="edge in ['start', 'end']" v-show="one.id === chosen" class="handle" :class="edge" role="slider"
                  tabindex="0" :aria-label="one.text + ': ' + words[edge]" :aria-valuemin="0" :aria-valuemax="length"
                  :aria-valuenow="one[edge].toFixed(2)" :aria-valuetext="clock(one[edge])"
                  :style="{ left: share(one[edge]) }" @pointerdown="pull($event, edge, one)"
                  @keydown="nudge($event, edge, one)" @blur="tellNudged"></span>
          </template>
        </div>
        <div class="lane part" @pointerdown.self="jump" @pointermove="drag" @pointerup="held = false"
             @pointercancel="held = false">
          <span class="lane-name" aria-hidden="true">{{ words.part }}</span>
          <span class="part-kept" aria-hidden="true" :style="span(part.start, part.end)"></span>
          <span v-for="edge in ['start', 'end']" class="handle" :class="edge" role="slider" tabindex="0"
                :aria-label="words.part + ': ' + words[edge]" :aria-valuemin="0" :aria-valuemax="length"
                :aria-valuenow="part[edge].toFixed(2)" :aria-valuetext="clock(part[edge])"
                :style="{ left: share(part[edge]) }" @pointerdown="pull($event, edge, null)"
                @keydown="nudge($event, edge, null)" @blur="tellNudged"></span>
        </div>
        <div class="timeline-over" aria-hidden="true">
          <span class="part-away" :style="{ left: 0, width: share(part.start) }"></span>
          <span class="part-away" :style="{ left: share(part.end), right: 0 }"></span>
          <span class="timeline-now" :style="{ left: share(now) }"></span>
        </div>
      </div>
      <div class="timeline-edit">
        <span v-for="edge in ['start', 'end']" class="part-time">
          <label :for="id + edge">{{ words['part_' + edge] }}</label>
          <input :id="id + edge" class="time" type="text" inputmode="decimal" autocomplete="off" spellcheck="false"
                 :value="written[edge] ?? clock(part[edge])" @input="written[edge] = $event.target.value"
                 @change="write(edge)" @keydown.enter="$event.target.blur()" />
          <button type="button" class="button bare" @click="set(edge)" :aria-label="words['here_' + edge]"
                  :title="words['here_' + edge]">
            <span class="icon icon-here" :class="edge" aria-hidden="true"></span></button>
        </span>
        <button v-if="trimmed" type="button" class="button bare" @click="all" :aria-label="words.all" :title="words.all">
          <span class="icon icon-close" aria-hidden="true"></span></button>
        <button type="button" class="button timeline-add" @click="add">
          <span class="icon icon-plus" aria-hidden="true"></span><span>{{ words.add }}</span></button>
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
    trim: Object,
    stretches: Array,
    chosen: Number,
  },
  data: () => ({ now: 0, held: false, playing: false, pulled: null, written: { start: null, end: null } }),
  created() {
    this.id = `part-${Math.random().toString(36).slice(2)}-`;
  },
  mounted() {
    this.now = this.start;
    this.heard = {
      "understudy-at": (event) => (this.now = event.detail),
      "understudy-playing": (event) => (this.playing = event.detail),
      "understudy-paused": (event) => this.tell(event.detail),
    };
    for (const [name, hear] of Object.entries(this.heard)) window.addEventListener(name, hear);
  },
  beforeUnmount() {
    this.tellNudged();
  },
  unmounted() {
    for (const [name, hear] of Object.entries(this.heard)) window.removeEventListener(name, hear);
  },
  computed: {
    last() {
      return Math.max(this.length - this.frame, 0);
    },
    said() {
      const here = this.doubts.filter((one) => this.now >= one.when[0] - 0.001 && this.now <= one.when[1] + 0.001);
      return here.map((one) => one.text).join(" · ");
    },
    // The stretch in which the frame is that is looked at: its settings are those that hold.
    here() {
      return this.shown.find((one) => this.now >= one.start - 0.001 && this.now < one.end - 0.001);
    },
    told() {
      return [this.said, this.here?.text].filter(Boolean).join(", ");
    },
    part() {
      return this.pulled && !this.pulled.one ? this.pulled.now : this.trim;
    },
    shown() {
      const { one, now } = this.pulled ?? {};
      return this.stretches.map((other) => (one && other.id === one.id ? { ...other, ...now } : other));
    },
    trimmed() {
      return this.part.start > 0 || this.part.end < this.length;
    },
  },
  methods: {
    clock,
    share(seconds) {
      return `${(100 * Math.min(seconds, this.length)) / Math.max(this.length, 0.001)}%`;
    },
    place([first, last]) {
      return { left: this.share(first), width: `max(3px, ${this.share(last - first + this.frame)})` };
    },
    span(start, end) {
      return { left: this.share(start), width: this.share(end - start) };
    },
    snapped(seconds) {
      return Math.min(Math.max(Math.round(seconds / this.frame) * this.frame, 0), this.length);
    },
    go(seconds) {
      this.now = Math.min(Math.max(seconds, 0), this.last);
      window.dispatchEvent(new CustomEvent("understudy-seek", { detail: this.now }));
      this.tell(this.now);
    },
    tell(seconds) {
      clearTimeout(this.telling);
      this.telling = setTimeout(() => this.$emit("seek", seconds), 200);
    },
    // From the frame that is looked at to the end of the part that is written, or of the clip; from its end anew.
    play() {
      const inside = this.now < this.trim.end - 1.5 * this.frame;
      if (!this.playing && this.now >= this.last - this.frame / 2) this.go(this.trim.start);
      const until = inside && this.now >= this.trim.start - this.frame ? this.trim.end : this.length;
      window.dispatchEvent(new CustomEvent("understudy-play", { detail: until }));
    },
    step(count) {
      this.go(Math.round(this.now / this.frame + count) * this.frame);
    },
    next() {
      const behind = this.doubts.find((one) => one.when[0] > this.now + this.frame / 2);
      const found = behind ?? this.doubts[0];
      if (found) this.go(found.when[0]);
    },
    // Keys that work on the timeline while it has the keyboard.
    key(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const done = {
        " ": () => this.play(),
        i: () => this.set("start"),
        o: () => this.set("end"),
        a: () => this.add(),
        Delete: () => this.here && this.remove(this.here),
      }[event.key];
      if (!done) return;
      event.preventDefault();
      if (!event.repeat) done();
    },
    grip(event) {
      if (event.button) return;
      this.held = true;
      event.currentTarget.setPointerCapture(event.pointerId);
      this.drag(event);
    },
    jump(event) {
      this.grip(event);
    },
    timeAt(event) {
      const box = this.$refs.area.getBoundingClientRect();
      return (Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * this.length);
    },
    drag(event) {
      if (this.held) this.go(this.snapped(this.timeAt(event)));
    },
    set(edge) {
      this.move(edge, this.now + (edge === "end" ? this.frame : 0));
    },
    write(edge) {
      const seconds = secondsOf(this.written[edge] ?? "");
      this.written[edge] = null;
      if (seconds !== null) this.move(edge, seconds);
    },
    move(edge, seconds) {
      const now = { ...this.part, [edge]: seconds };
      if (now.start >= now.end) now[edge === "start" ? "end" : "start"] = edge === "start" ? this.length : 0;
      this.keep(now);
    },
    all() {
      this.keep({ start: 0, end: this.length });
    },
    keep(now) {
      this.tellNudged();
      this.pulled = { one: null, now };
      this.report(null, now);
    },
    add() {
      this.tellNudged();
      this.$emit("add", this.now);
    },
    choose(one) {
      if (this.moved) return;
      this.tellNudged();
      this.$emit("choose", one.id);
      if (!(this.now >= one.start - 0.001 && this.now < one.end - 0.001)) this.go(one.start);
    },
    remove(one) {
      this.tellNudged();
      this.$emit("remove", one.id);
    },
    // An edge, or all of a stretch, is pulled; where no stretch is named, an edge of the part. It is told when let go.
    pull(event, edge, one) {
      if (event.button) return;
      const handle = event.currentTarget;
      const from = this.timeAt(event);
      const { start, end } = one ?? this.part;
      this.tellNudged();
      clearTimeout(this.settling);
      let pulled = null;
      this.moved = false;
      const move = (moving) => {
        const by = this.snapped(this.timeAt(moving)) - this.snapped(from);
        if (!by && !this.moved) return;
        this.moved = true;
        const now = this.changed({ start, end }, edge, by);
        this.pulled = { one, now };
        pulled = now;
        if (edge !== "both") this.go(edge === "start" ? now.start : now.end - this.frame);
      };
      const over = () => {
        handle.removeEventListener("pointermove", move);
        handle.removeEventListener("pointerup", over);
        handle.removeEventListener("pointercancel", over);
        if (pulled) this.report(one, pulled);
        else this.settle();
        setTimeout(() => (this.moved = false), 0);
      };
      handle.setPointerCapture(event.pointerId);
      handle.addEventListener("pointermove", move);
      handle.addEventListener("pointerup", over);
      handle.addEventListener("pointercancel", over);
    },
    changed({ start, end }, edge, by) {
      const step = this.frame;
      if (edge === "both") {
        const shift = Math.min(Math.max(by, -start), this.length - end);
        return { start: start + shift, end: end + shift };
      }
      if (edge === "start") return { start: Math.min(Math.max(start + by, 0), end - step), end };
      return { start, end: Math.max(Math.min(end + by, this.length), start + step) };
    },
    nudge(event, edge, one) {
      const by = {
        ArrowLeft: -1,
        ArrowDown: -1,
        ArrowRight: 1,
        ArrowUp: 1,
        PageDown: -Math.round(1 / this.frame),
        PageUp: Math.round(1 / this.frame),
        Home: -1e9,
        End: 1e9,
      }[event.key];
      if (event.key === "Delete" && one) this.remove(one);
      if (by === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const shown = one ? this.shown.find((other) => other.id === one.id) : this.part;
      const now = this.changed({ start: shown.start, end: shown.end }, edge, by * this.frame);
      if (this.nudged && this.nudged.one?.id !== one?.id) this.tellNudged();
      this.pulled = { one, now };
      this.go(edge === "start" ? now.start : now.end - this.frame);
      clearTimeout(this.nudging);
      clearTimeout(this.settling);
      this.nudged = { one, now };
      this.nudging = setTimeout(this.tellNudged, 250);
    },
    // What keys moved is told when they rest; and before anything else is told, which would come to nothing otherwise.
    tellNudged() {
      clearTimeout(this.nudging);
      const nudged = this.nudged;
      this.nudged = null;
      if (nudged) this.report(nudged.one, nudged.now);
    },
    // Until the server has said what came of it, what was pulled stays where it was let go.
    report(one, now) {
      this.$emit(one ? "move" : "trim", one ? { id: one.id, ...now } : now);
      this.settle();
    },
    settle() {
      clearTimeout(this.settling);
      this.settling = setTimeout(() => (this.pulled = null), 1000);
    },
  },
  watch: {
    trim(now) {
      const told = this.pulled && !this.pulled.one ? this.pulled.now : null;
      if (told && Math.abs(told.start - now.start) + Math.abs(told.end - now.end) < 0.01) this.pulled = null;
    },
    stretches() {
      if (this.pulled?.one && !this.held && !this.nudged) this.pulled = null;
    },
  },
};
