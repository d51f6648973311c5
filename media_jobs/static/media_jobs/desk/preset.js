// A preset's page: one empty row more as soon as the last one is used, and a question before what was typed is left.
const form = document.querySelector("[data-gi-unsaved]");
const rows = form?.querySelector("[data-gi-rows]");

if (rows) {
  const total = form.elements["size-TOTAL_FORMS"];
  const blank = rows.lastElementChild.cloneNode(true);
  let dirty = form.dataset.giUnsaved === "1"; // shown again with what is not saved: after Preview, or an error
  form.addEventListener("input", (event) => {
    dirty = true;
    if (rows.lastElementChild.contains(event.target) && rows.children.length < 30) {
      const row = blank.cloneNode(true);
      const number = total.value;
      for (const part of row.querySelectorAll("[name], [id], [for]"))
        for (const name of ["name", "id", "for"])
          if (part.hasAttribute(name))
            part.setAttribute(name, part.getAttribute(name).replace(/size-\d+-/, `size-${number}-`));
      rows.append(row);
      total.value = Number(number) + 1;
    }
  });
  form.addEventListener("submit", () => (dirty = false));
  window.addEventListener("beforeunload", (event) => dirty && event.preventDefault());
}
