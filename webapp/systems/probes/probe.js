// The form of a probe: reads its fields, shows what a run will cost, fills lines from a file, sends, stops.
// Runs inside gr.HTML's js_on_load (`element`, `trigger`, `server`, `watch`, `props`).

const MOST = 2e6; // characters of a file that are read
let asked = 0;
let waiting = null;

const form = () => element.querySelector("form");
// What a number's field holds that is no number reads as empty, which would mean "chosen by the probe": it is sent as "?" and refused.
const valueOf = (field) => (field.type === "checkbox" ? field.checked : field.validity.badInput ? "?" : field.value);
const settings = () => Object.fromEntries([...element.querySelectorAll("[data-setting]")].map((f) => [f.dataset.setting, valueOf(f)]));

async function estimate() {
  const now = ++asked;
  const open = form();
  if (!open) return;
  const said = await server.estimate([props.run, open.dataset.probe, settings()]);
  if (now === asked && form() === open) open.querySelector(".estimate").textContent = said || "";
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(estimate, 250);
}

element.addEventListener("input", (event) => {
  const field = event.target;
  if (field.dataset.beside) element.querySelector("#" + field.dataset.beside).value = Number(Number(field.value).toPrecision(4));
  const slider = element.querySelector(`[data-beside="${field.id}"]`);
  if (slider) slider.value = field.value;
  if (!field.dataset.fill) soon();
});

element.addEventListener("change", async (event) => {
  const field = event.target;
  if (field.name === "probe") trigger("choose", { probe: field.value });
  const file = field.dataset.fill && field.files[0];
  if (!file) return;
  const lines = element.querySelector("#" + field.dataset.fill);
  if (file.size > MOST) form().querySelector(".estimate").textContent = `${file.name} is larger than 2 MB. Bring a smaller file.`;
  else {
    lines.value = await file.text();
    texts.set(lines.id, lines.value);
    soon();
  }
});

element.addEventListener("submit", (event) => {
  event.preventDefault();
  trigger("start", { probe: form().dataset.probe, settings: settings() });
});
element.addEventListener("click", (event) => {
  if (event.target.closest("[data-cancel]")) trigger("stop", {});
});

// Another probe: Gradio keeps fields that look alike, so each goes back to its own default. Texts that were written stay, by their names.
const texts = new Map();
element.addEventListener("change", (event) => event.target.tagName === "TEXTAREA" && texts.set(event.target.id, event.target.value));
watch("value", () => {
  if (form()) form().reset();
  for (const lines of element.querySelectorAll("textarea")) if (texts.has(lines.id)) lines.value = texts.get(lines.id);
  soon();
});
soon();
