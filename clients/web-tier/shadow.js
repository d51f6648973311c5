// Sends what the site has taken to the service as well, a few at a time. Nobody waits for it, and nothing follows from a failure.

export class Shadows {
  #running = 0;
  #waiting = [];
  #ended = [];

  /** send: takes one shadow and returns a promise. */
  constructor(send, { shadows, shadowsWaiting, onError, counts }) {
    Object.assign(this, { send, most: shadows, mostWaiting: shadowsWaiting, onError, counts });
  }

  add(shadow) {
    if (this.#running + this.#waiting.length >= this.most + this.mostWaiting) {
      this.counts.dropped++;
      return;
    }
    this.#waiting.push(shadow);
    setImmediate(() => this.#next()); // what the site does goes before
  }

  /** Returns once none is left. */
  async idle() {
    while (this.#running + this.#waiting.length) await new Promise((ended) => this.#ended.push(ended));
  }

  async #next() {
    if (this.#running >= this.most || !this.#waiting.length) return;
    const shadow = this.#waiting.shift();
    this.#running++;
    try {
      await this.send(shadow);
      this.counts.sent++;
    } catch (error) {
      this.counts.failed++;
      this.onError(error, { during: "shadow", key: shadow.legacyKey });
    } finally {
      this.#running--;
      for (const ended of this.#ended.splice(0)) ended();
      this.#next();
    }
  }
}
