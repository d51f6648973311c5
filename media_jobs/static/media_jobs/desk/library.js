// Choosing pictures by keyboard: arrows move, shift with them chooses what is passed, space chooses, Enter opens.
const grid = document.querySelector("[data-gi-grid]");

if (grid) {
  const boxes = [...grid.querySelectorAll("input[name=picture]")];
  const columns = () => {
    const top = boxes[0].closest(".gi-cell").offsetTop;
    const first = boxes.findIndex((box) => box.closest(".gi-cell").offsetTop > top);
    return first > 0 ? first : boxes.length;
  };
  const steps = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns(), ArrowDown: () => columns() };
  let anchor = null; // where a range that is chosen by shift began
  let kept = new Set(); // what was chosen before it

  const changed = () => grid.dispatchEvent(new Event("change", { bubbles: true }));
  const choose = (from, to) => {
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    boxes.forEach((box, at) => (box.checked = kept.has(box) || (at >= low && at <= high)));
    changed();
  };
  const begin = (at) => {
    anchor = at;
    kept = new Set(boxes.filter((box) => box.checked));
  };

  grid.addEventListener("keydown", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0) return;
    if (event.key === "Enter") {
      event.preventDefault();
      event.target.closest(".gi-cell").querySelector("a").click();
      return;
    }
    const to = event.key === "Home" ? 0 : event.key === "End" ? boxes.length - 1 : at + (steps[event.key]?.() ?? NaN);
    if (Number.isNaN(to)) return;
    event.preventDefault();
    if (!boxes[to]) return;
    if (event.shiftKey && anchor === null) begin(at);
    if (!event.shiftKey) anchor = null;
    boxes[to].focus();
    if (event.shiftKey) choose(anchor, to);
  });

  grid.addEventListener("click", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0) return;
    if (event.shiftKey && anchor !== null) choose(anchor, at);
    else if (event.detail) begin(at); // by the mouse or a finger
  });

  // How many are chosen, and that "the chosen ones" are meant as soon as one is.
  const form = grid.closest("[data-gi-choice]");
  const says = form?.querySelector("[data-gi-chosen]");
  const count = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    if (says) says.textContent = chosen ? `The ${chosen} chosen` : "The chosen ones";
    form?.classList.toggle("gi-some-chosen", chosen > 0);
    if (chosen) form?.querySelector("[name=scope][value=chosen]")?.click();
  };
  grid.addEventListener("change", count);
  count();

  // One stop for the Tab key; the arrows do the rest.
  boxes.forEach((box, at) => (box.tabIndex = at ? -1 : 0));
  grid.addEventListener("focusin", (event) => {
    if (boxes.includes(event.target)) boxes.forEach((box) => (box.tabIndex = box === event.target ? 0 : -1));
  });
}

// Tiles of pictures that wait or are in work are asked for again, and not while nobody looks, until none is left.
const EVERY_MS = 2500;
const OPEN = "[data-gi-open]";

async function follow(tiles) {
  let etag = "";
  for (let wrong = 0; wrong < 5 && tiles.querySelector(OPEN); ) {
    await new Promise((go) => setTimeout(go, EVERY_MS * (1 + wrong * 3)));
    if (document.hidden) continue;
    const open = [...tiles.querySelectorAll(OPEN)];
    const asked = new URLSearchParams(open.map((cell) => ["picture", cell.querySelector("input").value]));
    if (tiles.tagName === "TABLE") asked.append("view", "list");
    try {
      const answer = await fetch(`${tiles.dataset.giTiles}?${asked}`, { headers: etag ? { "If-None-Match": etag } : {}, redirect: "error" });
      if (!answer.ok && answer.status !== 304) throw new Error(answer.status);
      wrong = 0;
      etag = answer.headers.get("ETag") ?? "";
      if (answer.status !== 200) continue;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const cell of open) {
        const box = cell.querySelector("input");
        const now = page.querySelector(`input[value="${box.value}"]`)?.closest(".gi-cell");
        if (now && now.dataset.state !== cell.dataset.state) renew(cell, now, box);
      }
    } catch {
      wrong += 1; // signed out, or the service is away: it is tried less often, then no more
    }
  }
}

// The box stays: it may have the focus, and it knows whether it is chosen.
function renew(cell, now, box) {
  for (const part of [...cell.children]) if (!part.contains(box)) part.remove();
  const own = box.closest("td") ?? box;
  const same = now.querySelector("input");
  let before = true;
  for (const part of [...now.children]) {
    if (part.contains(same)) before = false;
    else if (before) own.before(part);
    else cell.append(part);
  }
  cell.dataset.state = now.dataset.state;
  cell.toggleAttribute("data-gi-open", now.hasAttribute("data-gi-open"));
}

document.querySelectorAll("[data-gi-tiles]").forEach(follow);
