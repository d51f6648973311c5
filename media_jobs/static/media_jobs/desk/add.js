// Adding pictures: files are dropped or chosen, and sent one after the other, three at a time, each with its progress.
const form = document.querySelector("[data-gi-add]");
const AT_ONCE = 3;

if (form) {
  const chosen = form.elements.file;
  const list = form.querySelector("[data-gi-uploads]");
  const drop = form.querySelector("[data-gi-drop]");
  const waiting = [];
  let sending = 0;

  const line = (file) => {
    const row = document.createElement("li");
    row.className = "gi-row";
    const words = Object.assign(document.createElement("span"), { className: "gi-grow", textContent: `${file.name} ` });
    const bar = Object.assign(document.createElement("progress"), { max: 100, value: 0 });
    bar.setAttribute("aria-label", `${file.name}, progress`);
    row.append(words, bar);
    list.append(row);
    list.hidden = false;
    return {
      progress: (part) => (bar.value = part * 100),
      over(text, wrong, link) {
        bar.remove();
        if (link) words.replaceChildren(Object.assign(document.createElement("a"), { className: "gi-link", href: link, textContent: file.name }), " ");
        words.append(Object.assign(document.createElement("span"), { className: wrong ? "gi-error" : "gi-quiet", textContent: text }));
        row.dataset.over = wrong ? "refused" : "added";
      },
    };
  };

  const send = (file, row) =>
    new Promise((go) => {
      const data = new FormData(form);
      data.delete("file");
      data.append("file", file);
      const request = new XMLHttpRequest();
      request.open("POST", location.pathname);
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.onprogress = (event) => event.lengthComputable && row.progress(event.loaded / event.total);
      request.onload = () => {
        const said = request.response;
        if (said?.link) row.over(`Added. ${said.note}`, false, said.link);
        else row.over(said?.why || "The service did not take it; are you still signed in?", true);
        go();
      };
      request.onerror = () => (row.over("The connection was lost. Try this file again.", true), go());
      request.send(data);
    });

  const next = async () => {
    if (sending >= AT_ONCE || !waiting.length) return;
    sending += 1;
    const [file, row] = waiting.shift();
    await send(file, row);
    sending -= 1;
    next();
  };

  const take = (files) => {
    if (!form.elements.licence.reportValidity()) return;
    for (const file of files) {
      const row = line(file);
      if (file.size > Number(form.dataset.largest)) row.over("The file is too large.", true);
      else if (!file.size) row.over("The file is empty.", true);
      else waiting.push([file, row]);
    }
    for (let at = 0; at < AT_ONCE; at += 1) next();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take(chosen.files);
    chosen.value = "";
  });
  for (const name of ["dragover", "dragenter"])
    drop.addEventListener(name, (event) => (event.preventDefault(), drop.classList.add("gi-drop-over")));
  drop.addEventListener("dragleave", () => drop.classList.remove("gi-drop-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("gi-drop-over");
    take(event.dataTransfer.files);
  });
}
