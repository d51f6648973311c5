// Whether the service makes the pictures of a key. An answer holds for as long as the service says; none means no.

/** No answer is kept for longer, whatever the service says. */
const LONGEST_KEPT_MS = 60_000;
/** How long a service is left alone that has failed. */
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const MOST_KEPT = 10_000;

export class Flag {
  #kept = new Map(); // by key: { enabled, tag, until }
  #asking = new Map(); // by key: the answer that is on its way
  #awayUntil = 0;

  constructor(calls, { flag, timeoutMs, onError }) {
    Object.assign(this, { calls, flag, timeoutMs, onError });
  }

  async isOn(key) {
    const now = Date.now();
    if (now < this.#awayUntil) return false;
    const kept = this.#kept.get(key);
    if (kept && now < kept.until) return kept.enabled;
    if (!this.#asking.has(key)) {
      this.#asking.set(key, this.#ask(key, kept).finally(() => this.#asking.delete(key)));
    }
    return this.#asking.get(key);
  }

  /** Off for all keys for a moment: one of them has waited for nothing, and others need not. */
  away(forMs) {
    this.#awayUntil = Date.now() + Math.min(Math.max(forMs, PAUSE_MS), LONGEST_PAUSE_MS);
  }

  async #ask(key, kept) {
    try {
      const path = `/v1/flags/${encodeURIComponent(this.flag)}?key=${encodeURIComponent(key)}`;
      const headers = kept?.tag ? { "If-None-Match": kept.tag } : {};
      const answer = await this.calls.call(path, { withinMs: this.timeoutMs, headers });
      const enabled = answer.status === 304 ? kept.enabled : answer.body.enabled === true;
      const maxAge = /max-age=(\d+)/.exec(answer.headers.get("Cache-Control") ?? "")?.[1] ?? 0;
      const until = Date.now() + Math.min(1000 * maxAge, LONGEST_KEPT_MS);
      this.#keep(key, { enabled, tag: answer.headers.get("ETag"), until });
      return enabled;
    } catch (error) {
      this.onError(error, { during: "flag", key });
      if (error.status !== 400) this.away(error.retryAfterMs); // 400: this key is none, and others are
      return false;
    }
  }

  #keep(key, answer) {
    this.#kept.delete(key);
    this.#kept.set(key, answer); // at the end: the first one is the oldest
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value);
  }
}
