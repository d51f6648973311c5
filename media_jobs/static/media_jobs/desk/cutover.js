// The workbench: verdicts and ways by single keys, for who wants them, and the difference of two pictures.
const KEPT = "gi-cutover-keys";

for (const part of document.querySelectorAll("[data-gi-scripted]")) part.hidden = false;

const difference = document.querySelector("[data-gi-difference]");
difference?.addEventListener("change", () =>
  document.querySelector("[data-gi-compare]").classList.toggle("gi-compare-difference", difference.checked),
);

// Single keys would be in the way of who speaks to the machine, so that they can be switched off.
const keys = document.querySelector("[data-gi-keys]");
if (keys) {
  keys.checked = localStorage.getItem(KEPT) !== "off";
  keys.addEventListener("change", () => localStorage.setItem(KEPT, keys.checked ? "on" : "off"));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || (keys && !keys.checked)) return;
  const at = event.target;
  if (at.isContentEditable || at.matches("textarea, select, input:not([type=checkbox], [type=range])")) {
    if (event.key === "Escape") at.blur();
    return;
  }
  const found = document.querySelector(`[data-gi-key="${CSS.escape(event.key)}"]`);
  if (!found) return;
  event.preventDefault();
  if (found.matches("#gi-note")) found.focus();
  else found.click();
});
