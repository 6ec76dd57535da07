// Plays a clip as it will be: frames are asked for one after the other, each for the time at which it will be shown.
// What the machine can't make in time is left out, so time is kept; the sound is the file's own.
const LONGEST_WAIT = 400; // milliseconds that the first frame waits for the sound
const AHEAD = 2; // seconds of sound that are fetched before they are heard

export class Player {
  // show(seconds, original, result): draws a frame, of which bitmaps may be null; ended(fault): it is over.
  constructor({ place, version, frame, show, ended, original }) {
    Object.assign(this, { place, version, frame, show, ended, original });
    this.run = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
    this.stop = new AbortController();
    this.lead = 0;
  }

  async play(from, until) {
    this.from = from;
    this.until = until;
    const sound = this.hear(from).catch(() => null);
    let at = from;
    try {
      while (!this.stop.signal.aborted) {
        const began = performance.now();
        const made = await this.fetched(at);
        if (!made || this.stop.signal.aborted) break;
        if (this.base === undefined) {
          await Promise.race([sound, new Promise((done) => setTimeout(done, LONGEST_WAIT))]);
          this.base = performance.now() - 1000 * from;
          this.listen();
        }
        const took = (performance.now() - began) / 1000;
        this.lead = at === from ? 0 : 0.7 * this.lead + 0.3 * took;
        const early = 1000 * (at - this.now());
        if (early > 1) await new Promise((done) => setTimeout(done, early));
        if (this.stop.signal.aborted) break;
        this.show(made.seconds, made.original, made.result);
        const next = Math.max(this.now() + this.lead, made.seconds + this.frame);
        if (next >= until - this.frame / 2) break;
        at = next;
      }
      if (!this.stop.signal.aborted) this.end(null);
    } catch (fault) {
      if (!this.stop.signal.aborted) this.end(fault.said ?? null);
    }
  }

  now() {
    return (performance.now() - this.base) / 1000;
  }

  end(fault) {
    this.close();
    this.ended(fault);
  }

  close() {
    this.stop.abort();
    clearTimeout(this.later);
    this.context?.close();
    this.context = null;
  }

  async fetched(at) {
    const asked = `at=${at.toFixed(4)}&run=${this.run}&version=${this.version()}&original=${this.original() ? 1 : 0}`;
    const answer = await fetch(`${this.place}/playing?${asked}`, { signal: this.stop.signal });
    if (answer.status === 422) throw { said: await answer.json() };
    if (answer.status !== 200) return null;
    const data = await answer.arrayBuffer();
    const head = new DataView(data);
    const length = head.getUint32(8);
    return {
      seconds: head.getFloat64(0),
      original: await bitmap(new Uint8Array(data, 12, length)),
      result: await bitmap(new Uint8Array(data, 12 + length)),
    };
  }

  // The first piece of sound; the clock begins when it is there.
  async hear(from) {
    this.context = new AudioContext();
    this.heard = from;
    this.first = await this.piece(from);
  }

  async piece(at) {
    const answer = await fetch(`${this.place}/sound.wav?at=${at.toFixed(4)}`, { signal: this.stop.signal });
    if (answer.status !== 200 || !this.context) return null;
    return await this.context.decodeAudioData(await answer.arrayBuffer());
  }

  // From now on piece after piece, each exactly behind the one before it.
  async listen() {
    let piece = this.first;
    let due = this.context ? this.context.currentTime : 0;
    while (piece && this.context && !this.stop.signal.aborted && this.heard < this.until) {
      const source = this.context.createBufferSource();
      source.buffer = piece;
      source.connect(this.context.destination);
      // Where the clock of the sound has drifted from that of the pictures, it is put right.
      const wanted = this.context.currentTime + (this.heard - this.now());
      if (Math.abs(wanted - due) > 0.04) due = Math.max(wanted, this.context.currentTime);
      source.start(due, Math.max(0, this.now() - this.heard));
      if (this.heard + piece.duration > this.until) source.stop(due + this.until - this.heard);
      due += piece.duration;
      this.heard += piece.duration;
      const spare = 1000 * (this.heard - this.now() - AHEAD);
      await new Promise((done) => (this.later = setTimeout(done, Math.max(spare, 0))));
      piece = this.heard < this.until ? await this.piece(this.heard).catch(() => null) : null;
    }
  }
}

async function bitmap(bytes) {
  return bytes.length ? await createImageBitmap(new Blob([bytes], { type: "image/jpeg" })) : null;
}
