// Lists and forms of the tab Compose: a list with data-do becomes one "act" event; a button inside a form with data-rows sends its rows too.
// Runs inside gr.HTML's js_on_load (`element`, `trigger`, `watch`), after pane.js where buttons stand alone.

element.addEventListener("change", (event) => {
  const list = event.target.closest("select[data-do]");
  if (list) trigger("act", { ...list.dataset, value: list.value });
});
