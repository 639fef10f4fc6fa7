// Charts and table below the map: bars that are pressed or dragged over, one tab stop a chart, a search, and a file to take away.
// Runs inside gr.HTML's js_on_load beside pane.js, which sends the presses of buttons with data-do (`element`, `props`, `trigger`, `watch`, `server`).

let stale = true, inSight = false, byKeyboard = false, query = {}, kept = "", drag = null;

function refresh() {
  if (!stale || !(inSight || byKeyboard)) return;
  stale = false;
  trigger("refresh", {});
}
window.addEventListener("errata-view", ({ detail }) => {
  if (!detail) return;
  query = detail.query;
  stale = true;
  refresh();
});
new IntersectionObserver(([entry]) => { inSight = entry.isIntersecting; refresh(); }, { rootMargin: "120px" }).observe(element);
// Who walks by Tab must find the table filled before it comes in sight.
document.addEventListener("keydown", (event) => { if (event.key === "Tab") { byKeyboard = true; refresh(); } });

const calm = () => element.removeAttribute("aria-busy");
let patience = 0;
// What is pressed here stays where it is while the selection above it grows or shrinks.
const stand = () => {
  const pane = document.querySelector("#pane");
  if (!pane) return;
  const { top } = element.getBoundingClientRect();
  const grown = new ResizeObserver(() => scrollBy(0, element.getBoundingClientRect().top - top));
  grown.observe(pane);
  setTimeout(() => grown.disconnect(), 4_000);
};
const act = (more) => {
  stand();
  element.setAttribute("aria-busy", "true");
  clearTimeout(patience);
  patience = setTimeout(calm, 15_000); // where a message comes instead
  trigger("act", more);
};
const barOf = (target) => target.closest?.(".bar:not(:disabled)");
const barsBeside = (bar) => [...bar.closest(".bars").querySelectorAll(".bar")];
const keep = (bar, extend) => {
  if (bar.hasAttribute("aria-disabled")) return; // a cell without a sample: the arrows pass over it
  kept = bar.dataset.at;
  act({ do: "cell" in bar.dataset ? "cell" : "filter", part: bar.dataset.part, extend });
};

// A range of numbers is dragged over: from the bar under the first press to that under the release.
element.addEventListener("pointerdown", (event) => {
  const bar = barOf(event.target);
  drag = bar && event.button === 0 && bar.closest(".chart.number") ? bar : null;
});
element.addEventListener("pointerover", (event) => {
  const to = drag && barOf(event.target);
  if (!to || to.parentElement !== drag.parentElement) return;
  const all = [...to.parentElement.children], [a, b] = [all.indexOf(drag), all.indexOf(to)].sort((p, q) => p - q);
  all.forEach((bar, i) => bar.classList.toggle("dragged", i >= a && i <= b));
});
document.addEventListener("pointerup", (event) => {
  const from = drag, to = from && barOf(document.elementFromPoint(event.clientX, event.clientY) ?? element);
  drag = null;
  element.querySelectorAll(".dragged").forEach((bar) => bar.classList.remove("dragged"));
  if (!to || to === from || to.parentElement !== from.parentElement) return;
  const [one, other] = [from, to].map((bar) => JSON.parse(bar.dataset.part));
  if (one.length !== 3 || other.length !== 3) return; // what is missing is no range
  const end = (place, pick) => { const ends = [one[place], other[place]]; return ends.includes(null) ? null : pick(...ends); };
  kept = from.dataset.at;
  act({ do: "filter", part: JSON.stringify([one[0], end(1, Math.min), end(2, Math.max)]) });
});
element.addEventListener("click", (event) => {
  const bar = barOf(event.target);
  if (bar) keep(bar, event.shiftKey);
  else if (event.target.closest("[data-like]")) search("like");
  else if (event.target.closest("[data-take]")) take(event.target.closest("[data-take]").dataset);
  else if (event.target.closest('[data-do="row"]')) document.getElementById("pane")?.scrollIntoView({ block: "nearest" }); // where it opens
});

element.addEventListener("keydown", (event) => {
  const bar = barOf(event.target);
  const down = Number(bar?.closest("[data-columns]")?.dataset.columns ?? 1); // places from a cell to the one below
  const by = { ArrowRight: 1, ArrowDown: down, ArrowLeft: -1, ArrowUp: -down }[event.key];
  if (!bar || !by) return;
  event.preventDefault();
  const all = barsBeside(bar);
  if (!all[all.indexOf(bar) + by] && down > 1) return;
  const next = all[Math.min(Math.max(all.indexOf(bar) + by, 0), all.length - 1)];
  bar.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

const search = (how) => { kept = "#linked-text"; act({ do: how, text: element.querySelector("#linked-text").value }); };
element.addEventListener("submit", (event) => { event.preventDefault(); search("find"); });
element.addEventListener("change", (event) => {
  if (event.target.id === "linked-add" && event.target.value) act({ do: "chart", key: event.target.value });
});
element.addEventListener("search", (event) => { if (!event.target.value) search("find"); }); // the field's own cross

async function take(order) {
  const text = await server.take_csv([props.run, query, props.mask, order.take, "falling" in order]);
  if (text === null || text === undefined) return;
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: "selection.csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// What is typed somewhere is undone there.
document.addEventListener("keydown", (event) => {
  if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || !element.clientWidth) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  act({ do: "undo" });
});

// The server writes all of it anew: the reader's place is found again.
let scrolled = 0;
element.addEventListener("scroll", (event) => { if (event.target.matches?.(".linked-table")) scrolled = event.target.scrollLeft; }, true);
watch("value", () => {
  calm();
  const table = element.querySelector(".linked-table");
  if (table) table.scrollLeft = scrolled;
  const back = kept && (kept.startsWith("#") ? element.querySelector(kept) : [...element.querySelectorAll(".bar")].find((bar) => bar.dataset.at === kept));
  if (back) {
    if (back.matches(".bar")) for (const bar of barsBeside(back)) bar.tabIndex = bar === back ? 0 : -1;
    if (document.activeElement === document.body) back.focus({ preventScroll: true });
  }
  kept = "";
});
