// A flag's page: a slider beside the number. The number is what is sent; without this script it is all there is.
const number = document.querySelector("[data-gi-percent] input");

if (number) {
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: 100, step: 1, value: number.value });
  slider.setAttribute("aria-label", "Percentage, by a slider");
  slider.addEventListener("input", () => (number.value = slider.value));
  number.addEventListener("input", () => (slider.value = number.value));
  number.parentElement.append(slider);
}
