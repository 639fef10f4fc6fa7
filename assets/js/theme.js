// The switch between light and dark in the header, the way out, and the end of messages that are no longer meant; runs
// inside gr.HTML's js_on_load (`element`, `props`, `trigger`).

const apply = (dark) => {
  document.body.classList.toggle("dark", dark);
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
};
try {
  const kept = localStorage.getItem("errata-theme");
  if (kept && !location.search.includes("__theme")) apply(kept === "dark");
} catch {
  // No storage, as in a sandboxed frame: the page follows the system.
}
// A link to another run than the one that the page comes with: nothing of that is shown until link.js has an answer.
const linked = new URLSearchParams(location.search).get("run");
if (linked && linked !== props.run) {
  document.documentElement.classList.add("arriving");
  element.querySelector(".arriving-note").textContent = "Opening the run of this link …";
}
// Its name says what a press does; Gradio may set the class after this has run.
const button = element.querySelector(".theme-switch");
const say = () => button.setAttribute("aria-label", `Switch to ${document.body.classList.contains("dark") ? "light" : "dark"}`);
new MutationObserver(say).observe(document.body, { attributeFilter: ["class"] });
say();
button.addEventListener("click", () => {
  const dark = !document.body.classList.contains("dark");
  apply(dark);
  try { localStorage.setItem("errata-theme", dark ? "dark" : "light"); } catch { /* as above */ }
});
// The first stop of the keyboard leads past the header and the row of tabs; the address stays as it is.
element.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  const tab = [...document.querySelectorAll("#tabs [role=tabpanel]")].find((one) => one.clientHeight);
  if (!tab) return;
  tab.tabIndex = -1;
  tab.focus();
});
// A list of choices that the keyboard leaves stays closed: Gradio opens it once more after any key but Escape.
window.addEventListener("keydown", (event) => {
  if (event.key === "Tab" && event.target.matches?.("input[role=combobox]")) event.stopPropagation();
}, true);
for (const button of element.querySelectorAll("[data-place]")) {
  button.addEventListener("click", () => document.querySelector(`#tabs [data-tab-id="${button.dataset.place}"]`)?.click());
}
element.querySelector(".sign-out")?.setAttribute("href", `${window.gradio_config?.root ?? ""}/logout`);
// A message tells of what was pressed last: it goes when another tab is opened or something else is begun. Gradio would
// count a later one behind its text.
document.addEventListener("click", ({ target }) => {
  if (!target.closest?.("[role=tab], button.primary")) return;
  for (const close of document.querySelectorAll(".toast-close")) close.click();
}, true);
