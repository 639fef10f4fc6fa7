// The grid or table of All samples: more samples as its end comes in sight, one tab stop for all of them, a search, and a file.
// Runs inside gr.HTML's js_on_load beside pane.js, which opens a sample and sends the presses of buttons with data-do
// (`element`, `props`, `trigger`, `watch`, `server`).

const shapeAsked = () => (new URLSearchParams(location.search).get("as") === "table" ? "table" : "images");
let stale = true, shape = shapeAsked(), kept = "", asking = false;
const foot = () => element.querySelector(".samples-foot");
const samples = () => [...element.querySelectorAll(".sample")];

function refresh() {
  if (!stale || !element.clientWidth) return;
  stale = false;
  trigger("refresh", { as: shape });
}
const renew = () => { stale = true; refresh(); };
window.addEventListener("errata-view", renew);
new ResizeObserver(refresh).observe(element); // it opens once it is seen

const calm = () => element.removeAttribute("aria-busy");
let patience = 0;
function act(more) {
  element.setAttribute("aria-busy", "true");
  clearTimeout(patience);
  patience = setTimeout(calm, 15_000); // where a message comes instead
  trigger("act", more);
}

// Seen from afar, so that the next samples are there before the reader.
const end = new IntersectionObserver(([entry]) => entry.isIntersecting && more(), { rootMargin: "500px" });
function count() {
  const last = foot();
  if (!last) return;
  const [shown, n] = [samples().length, Number(last.dataset.n)];
  const all = shown >= n;
  last.querySelector("[data-more]").hidden = all;
  last.querySelector("[role=status]").textContent = all ? "" : `${shown.toLocaleString("en")} of ${n.toLocaleString("en")} shown`;
  end.disconnect();
  if (!all) end.observe(last);
}
async function more() {
  const last = foot(), at = samples().length;
  if (asking || !last || at >= Number(last.dataset.n)) return;
  asking = true;
  const got = await server.more_cells([last.dataset.listed, at]).catch(() => null);
  asking = false;
  if (last !== foot()) return; // another list came meanwhile
  if (!got) { renew(); return; } // the server has let the listing go
  element.querySelector(".samples-cells").insertAdjacentHTML("beforeend", got); // the server escapes every text
  count();
}

// Arrow keys move among the samples: one to each side, or to the one above or below.
const stand = (to) => {
  for (const other of element.querySelectorAll('.sample[tabindex="0"]')) other.tabIndex = -1;
  to.tabIndex = 0;
};
element.addEventListener("focusin", ({ target }) => target.matches(".sample") && stand(target));
element.addEventListener("keydown", async (event) => {
  const here = event.target.closest(".sample");
  const all = samples();
  const across = here ? all.filter((one) => one.getBoundingClientRect().top === all[0].getBoundingClientRect().top).length : 0;
  const by = { ArrowRight: 1, ArrowDown: across, ArrowLeft: -1, ArrowUp: -across, Home: -all.length, End: all.length }[event.key];
  if (!here || !by) return;
  event.preventDefault();
  const to = all.indexOf(here) + by;
  if (to >= all.length && event.key !== "End") await more();
  const now = samples();
  now[Math.min(Math.max(to, 0), now.length - 1)].focus();
});

element.addEventListener("click", async ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  if (button.dataset.do) kept = nameOf(button);
  if ("like" in button.dataset) search("like");
  if ("take" in button.dataset) take();
  if (button.dataset.as) show(button.dataset.as);
  if ("more" in button.dataset) {
    const first = samples().length;
    await more();
    samples()[first]?.focus();
  }
});
function nameOf(button) {
  const key = button.dataset.key === undefined ? "" : `[data-key="${CSS.escape(button.dataset.key)}"]`;
  return `${button.closest(".samples-table") ? ".samples-table " : ""}[data-do="${button.dataset.do}"]${key}`;
}
function show(as) {
  shape = as;
  kept = `[data-as="${as}"]`;
  window.dispatchEvent(new CustomEvent("errata:as", { detail: as }));
  renew();
}
addEventListener("popstate", () => { if (shapeAsked() !== shape) { shape = shapeAsked(); renew(); } });

const search = (how) => { kept = "#samples-text"; act({ do: how, text: element.querySelector("#samples-text").value }); };
element.addEventListener("submit", (event) => { event.preventDefault(); search("find"); });
element.addEventListener("search", (event) => { if (!event.target.value) search("find"); }); // the field's own cross
element.addEventListener("change", ({ target }) => {
  if (target.id !== "samples-sort") return;
  kept = "#samples-sort";
  act({ do: "sort", key: target.value });
});

async function take() {
  const text = await server.take_csv([foot().dataset.listed]);
  if (typeof text !== "string") { renew(); return; }
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

// The server writes the list again: the keyboard is led back to where it was.
watch("value", () => {
  calm();
  const first = element.querySelector(".sample");
  if (first) stand(first);
  count();
  if (kept && document.activeElement === document.body) {
    (element.querySelector(kept) ?? element.querySelector(".samples-n"))?.focus({ preventScroll: true });
  }
  kept = "";
  window.dispatchEvent(new CustomEvent("errata:listed"));
});
