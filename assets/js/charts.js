// The folds beside the samples: charts of the columns, whose bars are pressed or dragged over, one tab stop a chart; and the map.
// Runs inside gr.HTML's js_on_load (`element`, `trigger`, `server`).

let kept = "", drag = null;
const fold = (name) => element.querySelector(`[data-fold="${name}"]`);

// Drawn for the list beside it, while they are seen.
async function draw() {
  const listed = document.querySelector("#samples-list [data-listed]")?.dataset.listed;
  const slot = element.querySelector(".samples-charts-slot");
  if (!listed || !fold("charts").open) return;
  const markup = await server.column_charts([listed]).catch(() => null);
  if (typeof markup !== "string" || listed !== document.querySelector("#samples-list [data-listed]")?.dataset.listed) return;
  const hadFocus = slot.contains(document.activeElement);
  slot.innerHTML = markup; // the server escapes every text
  const back = [...slot.querySelectorAll(".bar")].find((bar) => bar.dataset.at === kept);
  if (!back) return;
  for (const bar of barsBeside(back)) bar.tabIndex = bar === back ? 0 : -1;
  if (hadFocus) back.focus({ preventScroll: true });
}
window.addEventListener("errata:listed", draw);

// The one map of the page stands here while its fold is open and this place is seen; else in Findings.
const map = document.getElementById("map"), home = map.parentElement;
function place() {
  const here = fold("map").open && element.clientWidth > 0;
  const to = here ? element.querySelector(".samples-map") : home;
  if (map.parentElement !== to) to.append(map);
}
new ResizeObserver(place).observe(element);
element.addEventListener("toggle", ({ target }) => (target === fold("map") ? place() : draw()), true);

const barOf = (target) => target.closest?.(".bar:not(:disabled)");
const barsBeside = (bar) => [...bar.closest(".bars").querySelectorAll(".bar")];
const keep = (bar, extend) => {
  if (bar.hasAttribute("aria-disabled")) return; // a cell without a sample: the arrows pass over it
  kept = bar.dataset.at;
  trigger("act", { do: "filter", part: bar.dataset.part, extend });
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
  trigger("act", { do: "filter", part: JSON.stringify([one[0], end(1, Math.min), end(2, Math.max)]) });
});
element.addEventListener("click", (event) => {
  const bar = barOf(event.target);
  if (bar) keep(bar, event.shiftKey);
  const button = event.target.closest("[data-do]");
  if (button && fold("charts").contains(button)) trigger("act", { ...button.dataset });
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
