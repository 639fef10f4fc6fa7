// The form and the list of a person's own notes and sets: what was changed, and no more, goes to the server as one "yours" event.
// Runs inside gr.HTML's js_on_load beside pane.js (`element`, `props`, `trigger`, `watch`); webapp/explore/yours.py is the other half.

let unfolded = "", pressed = false;
const part = () => element.querySelector("details.own");
const say = (what) => {
  pressed = true;
  element.setAttribute("aria-busy", "true");
  setTimeout(() => element.removeAttribute("aria-busy"), 15_000); // where a message comes instead
  trigger(what.do === "copy" ? "adopt" : "yours", { run: props.run, of: part()?.dataset.of ?? "", ...what });
};

element.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-own]");
  if (!form) return;
  event.preventDefault();
  const fields = [...form.elements].filter((field) => field.name);
  const save = form.dataset.own === "save";
  const given = fields.filter((field) => (field.type === "checkbox" ? field.checked : !save || field.value !== field.defaultValue));
  if (save && !given.length) return;
  say({ do: form.dataset.own, ...Object.fromEntries(given.map((field) => [field.name, field.value])) });
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-own]");
  if (button) say({ do: button.dataset.own, key: button.dataset.key, pinned: button.dataset.pinned });
});
// What is typed in a form stays there: Escape folds it, and leaves what is picked.
element.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.closest("details.own[open]")) return;
  event.stopPropagation();
  part().open = false;
  part().querySelector("summary").focus();
});
element.addEventListener("toggle", (event) => {
  if (event.target === part()) unfolded = event.target.open ? event.target.dataset.of : "";
}, true);

// The server writes the pane anew: the form of the same subject stays unfolded, and the keyboard has a place.
watch("value", () => {
  const form = part(), mine = pressed;
  element.removeAttribute("aria-busy");
  pressed = false;
  if (form && mine && unfolded && form.dataset.of === unfolded) form.open = true;
  const next = mine && (element.querySelector(".own-undo button") ?? (form?.open ? form.querySelector("summary") : element.querySelector(".pane-title")));
  if (next) next.focus({ preventScroll: true });
});
