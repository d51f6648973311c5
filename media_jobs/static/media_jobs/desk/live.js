// Parts of pages that change: <div data-gi-live="address"> is asked for again and again, and not while nobody looks.
// With data-gi-now the first time is at once: of what would hold up the page. The answer says by X-Live when it is over; then
// data-gi-then="reload" loads the page anew: not while somebody reads what it says of the last button, or is about to press one,
// and not at all once somebody has written in it.
const EVERY_MS = 2000;
const LEFT_ALONE_MS = 4000;

let touched = false;
document.addEventListener("input", () => (touched = true));

let pressed = performance.now();
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => (pressed = performance.now()), true);
const busy = () =>
  performance.now() - pressed < LEFT_ALONE_MS ||
  document.querySelector(".htmx-request") || // a dialog on its way
  document.querySelector("#dialog")?.checkVisibility({ visibilityProperty: true });

async function reload() {
  while (busy()) await pause(LEFT_ALONE_MS / 8);
  if (!touched) location.reload();
}

const pause = (ms) => new Promise((go) => setTimeout(go, ms));
const seen = () =>
  document.hidden
    ? new Promise((go) => document.addEventListener("visibilitychange", () => go(seen()), { once: true }))
    : Promise.resolve();

async function follow(part) {
  let etag = "";
  part.ariaBusy = "giNow" in part.dataset;
  for (let wrong = 0; wrong < 5; ) {
    if (etag || wrong || !("giNow" in part.dataset)) await pause(EVERY_MS * (1 + wrong * 3));
    await seen();
    try {
      const answer = await fetch(part.dataset.giLive, { headers: etag ? { "If-None-Match": etag } : {}, redirect: "error" });
      if (!answer.ok && answer.status !== 304) throw new Error(answer.status);
      wrong = 0;
      etag = answer.headers.get("ETag") ?? "";
      if (answer.status === 200) part.innerHTML = await answer.text();
      part.ariaBusy = false;
      if (answer.headers.get("X-Live") !== "over") continue;
      if (part.dataset.giThen === "reload") await reload();
      return;
    } catch {
      wrong += 1; // signed out, or the service is away: it is tried less often, then no more
    }
  }
  part.ariaBusy = false;
}

document.querySelectorAll("[data-gi-live]").forEach(follow);
