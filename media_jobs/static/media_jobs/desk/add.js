// Adding pictures: files are dropped or chosen, and sent three at a time, each with its progress;
// large ones straight to the storage.
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

  // Posts a form; resolves to the request, of status 0 where the connection was lost.
  const post = (url, data, progress, headers = { Accept: "application/json" }) =>
    new Promise((go) => {
      const request = new XMLHttpRequest();
      request.open("POST", url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.responseType = headers.Accept ? "json" : "text";
      if (progress) request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onload = request.onerror = () => go(request);
      request.send(data);
    });

  const said = () => {
    const data = new FormData(form);
    data.delete("file");
    return data;
  };

  // Stores a large file without the service in between; resolves to the answer, or null where the storage does not take it.
  const sendDirectly = async (file, row) => {
    const about = new FormData();
    for (const [name, value] of [["name", file.name], ["type", file.type], ["size", file.size]]) about.append(name, value);
    about.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    const begun = (await post(form.dataset.begin, about)).response;
    if (!begun?.upload) return begun;
    const data = new FormData();
    for (const [name, value] of Object.entries(begun.fields)) data.append(name, value);
    data.append("file", file);
    const stored = await post(begun.url, data, row.progress, {});
    if (stored.status < 200 || stored.status > 299) return null;
    const finish = said();
    finish.append("upload", begun.upload);
    return (await post(location.pathname, finish)).response;
  };

  const send = async (file, row) => {
    let answer = file.size < Number(form.dataset.direct) ? null : await sendDirectly(file, row);
    if (!answer) {
      const data = said();
      data.append("file", file);
      const request = await post(location.pathname, data, row.progress);
      if (!request.status) return row.over("The connection was lost. Try this file again.", true);
      answer = request.response;
    }
    if (answer?.link) row.over(`Added. ${answer.note}`, false, answer.link);
    else row.over(answer?.why || "The service did not take it; are you still signed in?", true);
  };

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
