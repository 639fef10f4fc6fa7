// The three parts of the tab Compose: one is shown at a time, which the style sheet does by the name on the tab's panel.
// Runs inside gr.HTML's js_on_load (`element`).

const show = (part) => {
  const panel = element.closest(".tabitem");
  if (panel) panel.dataset.part = part;
};
element.addEventListener("change", (event) => {
  show(event.target.value);
  trigger("part", { part: event.target.value });
});
