// One call of the service: within its time, its answer read to the end, every failure an ImageServiceError.

/** Statuses of what passes: sent again, it may be taken. 0 stands for no answer at all. */
const PASSING = [0, 408, 425, 429, 500, 502, 503, 504];

/** `code` and `message` as the service says them; `unreachable` and `too_slow` where it says nothing. */
export class ImageServiceError extends Error {
  name = "ImageServiceError";

  constructor(code, message, { status = 0, retryAfterMs = 0, cause } = {}) {
    super(message, { cause });
    Object.assign(this, { code, status, retryAfterMs });
  }

  /** Whether it has nothing to do with what was sent. */
  get passes() {
    return PASSING.includes(this.status);
  }
}

export class Calls {
  constructor({ baseUrl, apiKey }) {
    this.base = String(baseUrl).replace(/\/+$/, "");
    this.credential = apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
  }

  /** Returns status, headers and the JSON of an answer, also of a 304. Throws ImageServiceError. */
  async call(path, { withinMs, headers, ...how }) {
    let answer, text;
    try {
      answer = await fetch(this.base + path, {
        ...how,
        headers: { Accept: "application/json", ...this.credential, ...headers },
        signal: AbortSignal.timeout(withinMs),
        redirect: "error", // the credential is for this address
        cache: "no-store", // Next.js would keep answers
      });
      text = await answer.text();
    } catch (cause) {
      if (cause.name === "TimeoutError") {
        throw new ImageServiceError("too_slow", `There was no answer within ${withinMs} ms.`, { cause });
      }
      throw new ImageServiceError("unreachable", `There was no answer: ${cause.cause?.message ?? cause.message}`, { cause });
    }
    const { status, headers: told } = answer;
    const retryAfterMs = 1000 * Math.max(0, Number(told.get("Retry-After")) || 0);
    const body = parsed(text);
    if (status === 304 || (answer.ok && body)) return { status, headers: told, body, retryAfterMs };
    const { code = `http_${status}`, detail = `The answer was HTTP ${status}.` } = body ?? {};
    throw new ImageServiceError(code, detail, { status: answer.ok ? 502 : status, retryAfterMs });
  }
}

/** What a proxy says in the service's place is HTML. */
function parsed(text) {
  try {
    const body = JSON.parse(text);
    return typeof body === "object" ? body : null;
  } catch {
    return null;
  }
}
