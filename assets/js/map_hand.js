// The failure map under the hand: drawing round points, zooming, the card under the mouse, keys and buttons. In one scope with
// failure_map.js, which stands before it.

const place = (event) => {
  const box = plate.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

function nearest([px, py], reach) {
  const v = view();
  let best = null;
  let least = reach * reach;
  for (let i = 0; i < points.n; i++) {
    const [dx, dy] = [v.toX(points.x[i]) - px, v.toY(points.y[i]) - py];
    const d = dx * dx + dy * dy;
    if (d < least) [best, least] = [i, d];
  }
  return best;
}

function zoomAt(factor, px = plate.clientWidth / 2, py = plate.clientHeight / 2) {
  const k = Math.max(1, Math.min(40, zoom.k * factor));
  const f = k / zoom.k;
  const [ox, oy] = [px - plate.clientWidth / 2, py - plate.clientHeight / 2 - view().middle];
  zoom = k === 1 ? { k, dx: 0, dy: 0 } : { k, dx: ox - (ox - zoom.dx) * f, dy: oy - (oy - zoom.dy) * f };
  paint();
}

function pickTool(name) {
  tool = name;
  plate.dataset.tool = name;
  for (const button of element.querySelectorAll("[data-tool]")) if (button !== plate) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
}

const send = (name, more) => trigger(name, { run: props.value.run, ...more });
const hideHover = () => { hover.hidden = true; if (ringed !== null) { ringed = null; paintOver(); } };

over.addEventListener("pointerdown", (event) => {
  if (!points || event.button !== 0) return;
  plate.classList.add("by-hand"); // no focus frame until the keyboard is used
  plate.focus({ preventScroll: true });
  over.setPointerCapture(event.pointerId);
  hideHover();
  const at = place(event);
  // One finger scrolls the page unless a drawing tool was picked on purpose.
  const moves = tool === "pan" || event.altKey;
  drag = { from: at, last: at, moves, box: tool === "box" };
  path = moves ? [] : [at];
});

over.addEventListener("pointermove", (event) => {
  if (!points) return;
  const at = place(event);
  if (!drag) return askHover(at);
  if (drag.moves) {
    zoom = { ...zoom, dx: zoom.dx + at[0] - drag.last[0], dy: zoom.dy + at[1] - drag.last[1] };
    drag.last = at;
    return paint();
  }
  if (drag.box) path = [drag.from, [at[0], drag.from[1]], at, [drag.from[0], at[1]]];
  else if (Math.hypot(at[0] - path.at(-1)[0], at[1] - path.at(-1)[1]) > 2.5) path.push(at);
  paintOver();
});

over.addEventListener("pointerup", (event) => {
  if (!drag) return;
  const at = place(event);
  const moved = Math.max(Math.hypot(at[0] - drag.from[0], at[1] - drag.from[1]), path.length > 6 ? 20 : 0);
  const wasMove = drag.moves;
  drag = null;
  if (moved < 5) {
    path = [];
    paintOver();
    const point = nearest(at, 14);
    if (point !== null) send("point", { row: rowAt(point) });
    else if (selected()) send("clear", {});
    return;
  }
  if (wasMove) return paint();
  const v = view();
  const every = Math.ceil(path.length / 1500); // the server takes at most 2,000 vertices
  const polygon = path.filter((_, i) => i % every === 0).map(([px, py]) => [v.fromX(px), v.fromY(py)]);
  path = [];
  paintOver();
  send("lasso", { polygon });
});

over.addEventListener("pointercancel", () => { drag = null; path = []; paint(); });
over.addEventListener("pointerleave", () => { if (!drag) { clearTimeout(hoverTimer); hideHover(); } });
over.addEventListener("dblclick", (event) => zoomAt(event.shiftKey ? 0.5 : 2, ...place(event)));
over.addEventListener("wheel", (event) => {
  // A plain wheel scrolls the page until the map has been clicked.
  if (!event.ctrlKey && !event.metaKey && document.activeElement !== plate) return;
  event.preventDefault();
  zoomAt(Math.exp(-event.deltaY * 0.0016), ...place(event));
}, { passive: false });

// ---- the card under the mouse

let hoverTimer = 0;
const cards = new Map(); // row -> card of the open run
let cardsOf = "";

function askHover(at) {
  const point = nearest(at, 14);
  if (point === ringed) return;
  clearTimeout(hoverTimer);
  hideHover();
  if (point === null) return;
  ringed = point;
  paintOver();
  hoverTimer = setTimeout(() => showHover(point), 110);
}

async function showHover(point) {
  const [run, row] = [props.value.run, rowAt(point)];
  if (cardsOf !== run) { cards.clear(); cardsOf = run; }
  if (!cards.has(row)) cards.set(row, await server.describe([run, row]));
  const card = cards.get(row);
  if (ringed !== point || !card) return;
  const image = hover.querySelector("img");
  image.hidden = !card.src;
  if (card.src) image.src = matchMedia("(prefers-reduced-motion: reduce)").matches ? card.src.replace("/clip?", "/frames?") : card.src;
  const text = hover.querySelector(".map-hover-text");
  text.replaceChildren(...[card.title, ...card.lines].map((line, i) => Object.assign(document.createElement(i ? "span" : "b"), { textContent: line })));
  if (card.text) text.prepend(Object.assign(document.createElement("span"), { className: "shot-text", textContent: card.text }));
  hover.hidden = false;
  const v = view();
  const [x, y] = [v.toX(points.x[point]), v.toY(points.y[point])];
  hover.style.left = `${x + 18 + hover.offsetWidth > v.width ? Math.max(4, x - 18 - hover.offsetWidth) : x + 18}px`;
  hover.style.top = `${Math.max(4, Math.min(v.height - hover.offsetHeight - 4, y - hover.offsetHeight / 2))}px`;
}

// ---- keys and buttons

plate.addEventListener("keydown", (event) => {
  plate.classList.remove("by-hand");
  if (!points || event.target !== plate) return;
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const ids = props.value.clusters.map((c) => c.id);
  if (by && ids.length) {
    const at = ids.indexOf(stepped);
    stepped = ids[at < 0 ? (by > 0 ? 0 : ids.length - 1) : (at + by + ids.length) % ids.length];
    const cluster = props.value.clusters.find((c) => c.id === stepped);
    live.textContent = `Group ${stepped + 1}: ${cluster.name}, ${cluster.size} samples. Enter opens it.`;
    paint();
  } else if (event.key === "Enter" && stepped !== null) send("cluster", { cluster: stepped });
  else if (event.key === "+" || event.key === "=") zoomAt(1.4);
  else if (event.key === "-") zoomAt(1 / 1.4);
  else if (event.key === "0") zoomAt(0);
  else return;
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.target === chooser || !plate.isConnected || !plate.clientWidth || document.querySelector("dialog[open]")) return;
  if (path.length || drag) { drag = null; path = []; paintOver(); }
  else if (selected()) send("clear", {});
});

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || !points) return;
  if (button.dataset.tool) pickTool(button.dataset.tool);
  if (button.dataset.zoom) zoomAt({ in: 1.5, out: 1 / 1.5, fit: 0 }[button.dataset.zoom]);
});

chooser.addEventListener("change", () => askColour(chooser.value));
window.addEventListener("errata:peek", (event) => { peeked = event.detail; paint(); });
window.addEventListener("errata:ring", (event) => { if (points) { ringed = placeOf(event.detail); paintOver(); } });
new ResizeObserver(paint).observe(plate);
new MutationObserver(paint).observe(document.body, { attributes: true, attributeFilter: ["class"] });

pickTool(window.matchMedia("(pointer: coarse)").matches ? "tap" : "lasso");
startLayer(find(".map-points"));
watch("value", readPoints);
watch("colour", readColour);
watch("selection", readSelection);
watch("view", () => window.dispatchEvent(new CustomEvent("errata-view", { detail: props.view }))); // for link.js
readPoints();
