// The line to the server, where there is one: it tells of finished builds, and new data are fetched then.
// The stream is read by hand and not by EventSource, which hides the heartbeats: silence too must be noticed.

const SILENCE = 25000; // milliseconds without a sign of life, of which there is one every ten seconds
const RETRY = 3000;

export class Line {
  // on: {data(json), state()}; `state` is called whenever what there is to tell has changed.
  constructor(on, { events = "/events", source = "data.json" } = {}) {
    this.on = on;
    this.events = events;
    this.source = source;
    this.etag = null;
    this.heard = 0; // when the server last gave a sign of life
    this.fetched = 0; // when the data were last found to be the newest
    this.isOpen = false;
  }

  async start() {
    for (;;) {
      await this.#listen();
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }

  // Reads the stream until it ends, fails or falls silent.
  async #listen() {
    const stop = new AbortController();
    let timer = null;
    const alive = () => {
      this.heard = Date.now();
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(), SILENCE);
    };
    try {
      timer = setTimeout(() => stop.abort(), SILENCE);
      const answer = await fetch(this.events, {
        headers: { Accept: "text/event-stream" },
        cache: "no-store",
        signal: stop.signal,
      });
      if (!answer.ok || !(answer.headers.get("content-type") || "").startsWith("text/event-stream"))
        throw new Error("no stream");
      // What was built before the line stood would be told by nobody.
      await this.fetch();
      this.isOpen = true;
      alive();
      this.on.state();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        alive();
        text += value.replaceAll("\r\n", "\n");
        const events = text.split("\n\n");
        text = events.pop();
        // Without its warehouse the server cannot know of builds, though it is alive.
        if (events.some((event) => /^event: ?away$/m.test(event))) this.isOpen = false;
        if (events.some((event) => /^event: ?build$/m.test(event))) {
          await this.fetch();
          this.isOpen = true;
        }
        this.on.state();
      }
    } catch {
      // Told by `isOpen`: the page says since when it is stale, and tries again.
    }
    clearTimeout(timer);
    stop.abort();
    this.isOpen = false;
    this.on.state();
  }

  // Asks for the data; what has not changed is not sent again.
  async fetch() {
    const answer = await fetch(this.source, {
      headers: this.etag ? { "If-None-Match": this.etag } : {},
      cache: "no-store",
    });
    if (answer.status === 304) {
      this.fetched = Date.now();
      return;
    }
    if (!answer.ok) throw new Error(`${this.source}: ${answer.status}`);
    this.etag = answer.headers.get("etag");
    const data = await answer.json();
    this.fetched = Date.now();
    this.on.data(data);
  }
}
