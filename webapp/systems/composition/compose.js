// Lists and forms of Composition: a list with data-do becomes one "act" event; a button inside a form with data-rows sends its rows too.
// Runs inside gr.HTML's js_on_load (`element`, `trigger`, `watch`), after pane.js where buttons stand alone.

element.addEventListener("change", (event) => {
  const list = event.target.closest("select[data-do]");
  if (list) trigger("act", { ...list.dataset, value: list.value });
});

const rowsOf = (form) =>
  [...form.querySelectorAll("[data-row]")].map((row) => ({
    kind: row.dataset.row,
    text: row.querySelector("input").value,
    of: row.querySelector("select").value,
  }));
element.addEventListener("submit", (event) => {
  event.preventDefault();
  trigger("score", { rows: rowsOf(event.target) });
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.edit) trigger("edit", { do: button.dataset.edit, at: button.dataset.at, rows: rowsOf(button.form) });
  if (button.hasAttribute("data-pick")) trigger("pick", { at: button.dataset.at });
});

// Gradio keeps fields that look alike: what was typed into a row that moved goes back to what the server says.
watch("value", () => {
  for (const form of element.querySelectorAll("form")) form.reset();
});
