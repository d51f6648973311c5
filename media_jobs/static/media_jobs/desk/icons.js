// unfold's icons are words in a font, such as “play_arrow”: a screen reader would read them out. Where one is all that a
// button or a link has, its words stay as the name. (unfold loads this in the head, before there is a page.)
document.addEventListener("DOMContentLoaded", () => {
  for (const icon of document.querySelectorAll(".material-symbols-outlined:not([aria-hidden])")) {
    const control = icon.closest("a, button, summary, label");
    icon.setAttribute("aria-hidden", "true");
    if (!control || control.ariaLabel || control.title) continue;
    const words = control.cloneNode(true);
    words.querySelectorAll("[aria-hidden=true]").forEach((hidden) => hidden.remove());
    const named = words.querySelector("img[alt]:not([alt='']), input");
    if (!words.textContent.trim() && !named) control.setAttribute("aria-label", icon.textContent.trim().replaceAll("_", " "));
  }
});
