// For the Node tier of a site that moves its pictures to the service: see README.md. No dependencies; Node 18 or newer.
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Calls, ImageServiceError } from "./calls.js";
import { Flag } from "./flag.js";
import { Shadows } from "./shadow.js";

export { ImageServiceError };

const DEFAULTS = {
  flag: "image-service",
  timeoutMs: 500,
  uploadMs: 20_000,
  waitMs: 20_000,
  attempts: 2,
  shadows: 2,
  shadowsWaiting: 8,
  fields: {},
  onError: () => {},
};
const LONGEST_WAIT_S = 30; // of one answer

/** @param {import("./index.d.ts").Options} options @returns {import("./index.d.ts").ImageService} */
export function createImageService(options) {
  const set = { ...DEFAULTS, ...options };
  if (!set.baseUrl) throw new TypeError("createImageService needs the baseUrl of the service");
  const counts = { service: 0, site: 0, fellBack: 0, shadows: { sent: 0, failed: 0, dropped: 0 } };
  const onError = (error, about) => {
    try {
      set.onError(error, about);
    } catch {
      // a hook that fails is not to fail an upload
    }
  };
  const calls = new Calls(set);
  const flag = new Flag(calls, { ...set, onError });
  const shadows = new Shadows(sendShadow, { ...set, onError, counts: counts.shadows });

  /** Sends it, and again what may pass, under one key: it is done once. Throws ImageServiceError. */
  async function send(path, { idempotencyKey = randomUUID(), attempts = set.attempts, ...how }) {
    const deadline = Date.now() + set.uploadMs;
    const headers = { "Idempotency-Key": idempotencyKey, ...how.headers };
    for (let attempt = 1; ; attempt++) {
      try {
        const withinMs = Math.max(1, deadline - Date.now());
        return (await calls.call(path, { ...how, method: "POST", headers, withinMs })).body;
      } catch (error) {
        const againMs = Math.max(error.retryAfterMs, 200 * attempt);
        if (!error.passes || attempt >= attempts || Date.now() + againMs >= deadline) throw error;
        await pause(againMs);
      }
    }
  }

  async function sendShadow({ source, legacyKey, fields }) {
    if (source === undefined) {
      const headers = { "Content-Type": "application/json" };
      return send("/v1/shadow", { attempts: 1, headers, body: JSON.stringify({ key: legacyKey }) });
    }
    if (!isReadTwice(source)) throw new TypeError("A stream is the site's own to read: give a path, a Buffer or a Blob.");
    const { blob, name } = await taken(source);
    return send("/v1/images", { attempts: 1, body: form(blob, name, { ...fields, shadow: "true", legacyKey }) });
  }

  async function wait(jobId, { waitMs = set.waitMs } = {}) {
    const deadline = Date.now() + waitMs;
    for (let job, tag; ; ) {
      const leftMs = Math.max(0, deadline - Date.now());
      const seconds = Math.min(LONGEST_WAIT_S, Math.floor(leftMs / 1000));
      const headers = tag ? { "If-None-Match": tag } : {};
      const withinMs = 1000 * seconds + Math.max(set.timeoutMs, 1000);
      let againMs = 1000;
      try {
        const answer = await calls.call(`/v1/jobs/${encodeURIComponent(jobId)}?wait=${seconds}`, { withinMs, headers });
        [job, tag] = [answer.body ?? job, answer.headers.get("ETag")];
        if (job.status !== "processing") return job;
        againMs = answer.retryAfterMs || againMs;
      } catch (error) {
        if (!error.passes) throw error;
        onError(error, { during: "wait" }); // what was accepted is done, whatever happens meanwhile
        againMs = Math.max(againMs, error.retryAfterMs);
      }
      if (Date.now() + againMs >= deadline) return job ?? { jobId, status: "processing", derivatives: [] };
      await pause(againMs);
    }
  }

  /** The job of an upload. Throws ImageServiceError, also for a job that came to nothing. */
  async function uploaded({ blob, name }, { fields, idempotencyKey, waitMs, filename = name }) {
    const body = form(blob, filename, { ...set.fields, ...fields });
    const { jobId, imageId } = await send("/v1/images", { body, idempotencyKey });
    const job = { imageId, ...(await wait(jobId, { waitMs })) };
    if (job.status === "error") throw new ImageServiceError(job.code, job.detail, { status: 422 });
    return job;
  }

  async function upload(source, { key = "", fallback, ...how } = {}) {
    if (fallback && !(await flag.isOn(key))) {
      counts.site++;
      return { by: "site", result: await fallback(source) };
    }
    const idempotencyKey = how.idempotencyKey ?? randomUUID();
    let again = source;
    try {
      const picture = await taken(source);
      again = picture.again;
      const job = await uploaded(picture, { ...how, idempotencyKey });
      counts.service++;
      return { by: "service", job };
    } catch (error) {
      onError(error, { during: "upload", key, idempotencyKey });
      if (error.passes) flag.away(error.retryAfterMs);
      if (!fallback) throw error;
      counts.fellBack++;
      return { by: "site", result: await fallback(again, error), error };
    }
  }

  return {
    isOn: (key) => flag.isOn(key),
    upload,
    wait,
    shadow: (legacyKey, source, how = {}) => shadows.add({ ...how, legacyKey, source }),
    idle: () => shadows.idle(),
    get counts() {
      return structuredClone(counts);
    },
  };
}

function form(blob, name, fields) {
  const filled = new FormData();
  for (const [field, value] of Object.entries(fields)) filled.append(field, String(value));
  filled.append("file", blob, name);
  return filled;
}

const isReadTwice = (source) => typeof source === "string" || source instanceof Blob || source instanceof Uint8Array;

/** The bytes of a path, a Blob, a Buffer or a stream, and its name; `again` is what the site's own code can still read. */
async function taken(source) {
  if (typeof source === "string") {
    const blob = fs.openAsBlob ? await fs.openAsBlob(source) : new Blob([await fs.promises.readFile(source)]);
    return { blob, name: basename(source), again: source };
  }
  if (source instanceof Blob) return { blob: source, name: source.name ?? "picture", again: source };
  const again = isReadTwice(source) ? source : Buffer.concat(await collected(source));
  return { blob: new Blob([again]), name: "picture", again };
}

async function collected(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}
