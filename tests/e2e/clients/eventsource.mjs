// What browsers have and Node has not: an EventSource, as far as the pages use it.
globalThis.EventSource ??= class {
  #leaving = new AbortController();
  #others = {};

  constructor(url) {
    this.#read(url).catch((error) => this.#leaving.signal.aborted || this.onerror?.(error));
  }

  addEventListener(name, listener) {
    this.#others[name] = listener;
  }

  close() {
    this.#leaving.abort();
  }

  async #read(url) {
    const answer = await fetch(url, { headers: { Accept: "text/event-stream" }, signal: this.#leaving.signal });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    this.onopen?.({});
    let left = "";
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
      const messages = (left + text).split("\n\n");
      left = messages.pop();
      for (const message of messages) {
        const fields = Object.fromEntries(message.split("\n").map((line) => line.split(/: (.*)/s)));
        const listener = fields.event ? this.#others[fields.event] : this.onmessage;
        listener?.({ data: fields.data, lastEventId: fields.id });
      }
    }
    throw new Error("the stream has ended");
  }
};
