// A place that still shows another run than the open one is hidden until its own answer comes. Runs inside gr.HTML's
// js_on_load beside pane.js (`element`, `props`, `trigger`, `watch`).

let opened; // link id of the open run, from the first change of the view
const hide = () => {
  const foreign = opened !== undefined && opened !== props.link;
  element.closest("[role=tabpanel]")?.classList.toggle("of-another-run", foreign);
};
window.addEventListener("errata-view", ({ detail }) => {
  if (!detail) return;
  opened = detail.query.run ?? "";
  hide();
});
watch("link", hide);

// What a button of Findings leads to; a place that is not built yet opens on it by itself.
window.addEventListener("errata:compared", ({ detail }) => trigger("act", { do: "show", kind: detail }));
