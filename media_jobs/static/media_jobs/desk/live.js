// Parts of pages that change: <div data-gi-live="address"> is asked for again and again, and not while nobody looks.
// With data-gi-now the first time is at once: of what would hold up the page. The answer says by X-Live when it is over; then data-gi-then="reload" loads the page anew, unless somebody writes in it.
const EVERY_MS = 2000;

let touched = false;
document.addEventListener("input", () => (touched = true));

const pause = (ms) => new Promise((go) => setTimeout(go, ms));
const seen = () =>
  document.hidden
    ? new Promise((go) => document.addEventListener("visibilitychange", () => go(seen()), { once: true }))
    : Promise.resolve();

async function follow(part) {
  let etag = "";
  for (let wrong = 0; wrong < 5; ) {
    if (etag || wrong || !("giNow" in part.dataset)) await pause(EVERY_MS * (1 + wrong * 3));
    await seen();
    try {
      const answer = await fetch(part.dataset.giLive, { headers: etag ? { "If-None-Match": etag } : {}, redirect: "error" });
      if (!answer.ok && answer.status !== 304) throw new Error(answer.status);
      wrong = 0;
      etag = answer.headers.get("ETag") ?? "";
      if (answer.status === 200) part.innerHTML = await answer.text();
      if (answer.headers.get("X-Live") !== "over") continue;
      if (part.dataset.giThen === "reload" && !touched) location.reload();
      return;
    } catch {
      wrong += 1; // signed out, or the service is away: it is tried less often, then no more
    }
  }
}

document.querySelectorAll("[data-gi-live]").forEach(follow);
