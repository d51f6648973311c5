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
