// The run that ended while its visitor was in another tab: opened, put aside, or gone once it is open.
// Runs inside gr.HTML's js_on_load (`element`, `trigger`); webapp/explore/new_run.py is the other half.

const line = () => element.querySelector(".offer");
element.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-do]");
  if (!pressed) return;
  if (pressed.dataset.do === "open") trigger("act", { run: line().dataset.run });
  line().hidden = true;
});
window.addEventListener("errata-view", ({ detail }) => {
  if (line() && detail?.query.run === line().dataset.link) line().hidden = true;
});
