// A picture's page: copying links, the comparison's slider, and the focal point by a click.
for (const button of document.querySelectorAll("[data-gi-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const address = new URL(button.dataset.giCopy, location.href).href;
    const words = button.innerHTML;
    try {
      await navigator.clipboard.writeText(address);
      button.textContent = "Copied";
    } catch {
      button.textContent = address; // to be marked and copied by hand
    }
    setTimeout(() => (button.innerHTML = words), 2000);
  });
}

for (const pair of document.querySelectorAll("[data-gi-compare]")) {
  const slider = pair.querySelector("input");
  const show = () => pair.style.setProperty("--gi-cut", `${slider.value}%`);
  pair.classList.add("gi-compare-over");
  slider.hidden = false;
  slider.addEventListener("input", show);
  show();
}

for (const form of document.querySelectorAll("[data-gi-focus]")) {
  const picture = form.querySelector("img");
  const mark = form.querySelector(".gi-focus-mark");
  const show = () => {
    mark.hidden = false;
    mark.style.left = `${form.x.value}%`;
    mark.style.top = `${form.y.value}%`;
  };
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    form.x.value = (((event.clientX - box.left) / box.width) * 100).toFixed(1);
    form.y.value = (((event.clientY - box.top) / box.height) * 100).toFixed(1);
    show();
  });
  form.addEventListener("input", show);
  show();
}
