// The failure map's behaviour: what is shown, and what the hand does. Runs inside gr.HTML's js_on_load, which gives
// `element`, `props`, `trigger`, `server` and `watch`; map_paint.js stands before it in the same script.

const find = (selector) => element.querySelector(selector);
const plate = find(".map-plate");
const base = find(".map-points");
const over = find(".map-over");
const hover = find(".map-hover");
const live = find(".map-live");
const scratch = document.createElement("canvas");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const isDark = () => document.body.classList.contains("dark");
const accent = () => getComputedStyle(plate).getPropertyValue("--accent").trim() || "#2563eb";

let points = null; // {n, x, y, loss, bin, order, cluster}
let mask = null; // Uint8Array, 1 where selected
let zoom = { k: 1, dx: 0, dy: 0 };
let tool = "lasso";
let stepped = null; // the cluster that the arrow keys are on
let peeked = null; // the cluster whose card is under the mouse
let ringed = null; // the row whose ring is drawn
let path = []; // the outline being drawn, in pixels
let drag = null;
const selected = () => (props.selection && props.selection.mask ? props.selection : null);

function view() {
  const [width, height] = [plate.clientWidth, plate.clientHeight];
  const room = Math.min(width - 56, height - 84) / 2;
  const fit = { x: (width - 56) / 2 / points.halfX, y: (height - 92) / 2 / points.halfY };
  const both = Math.min(fit.x, fit.y); // one scale for both axes, stretched a little at most where the plate is wide
  const kx = Math.min(fit.x, both * 1.35) * zoom.k;
  const ky = Math.min(fit.y, both * 1.35) * zoom.k;
  const radius = Math.max(1.6, Math.min(6, room / 13 / Math.sqrt(Math.sqrt(points.n)))) * Math.min(2.2, Math.pow(zoom.k, 0.35));
  return {
    width, height, radius, kx, ky,
    ratio: window.devicePixelRatio || 1,
    toX: (x) => width / 2 + (x - points.midX) * kx + zoom.dx,
    toY: (y) => height / 2 + 14 - (y - points.midY) * ky + zoom.dy,
    fromX: (px) => (px - width / 2 - zoom.dx) / kx + points.midX,
    fromY: (py) => points.midY - (py - height / 2 - 14 - zoom.dy) / ky,
  };
}

function membersOf(id, v) {
  const found = [];
  for (let i = 0; i < points.n; i++) if (points.cluster[i] === id) found.push([v.toX(points.x[i]), v.toY(points.y[i])]);
  return found;
}

let queued = false;
function paint() {
  if (queued || !points) return;
  queued = true;
  requestAnimationFrame(() => {
    queued = false;
    if (!plate.clientWidth || !plate.clientHeight) return; // the tab is not shown
    const v = view();
    for (const canvas of [base, over]) {
      const [w, h] = [Math.round(v.width * v.ratio), Math.round(v.height * v.ratio)];
      if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    }
    paintPoints(base, points, v, mask, isDark());
    const pen = base.getContext("2d");
    const chosen = selected() && selected().cluster;
    const labels = [];
    for (const cluster of props.value.clusters) {
      const members = membersOf(cluster.id, v);
      if (!members.length) continue;
      const strong = cluster.id === chosen || cluster.id === stepped || cluster.id === peeked;
      const core = crowded(members, 30, Math.max(3, Math.round(members.length / 25)));
      if (core.length && (!mask || strong)) paintOutline(base, scratch, core, v, hueOf(cluster.id), strong);
      if (!mask || strong) labels.push([central(core.length ? core : members, labels.map(([at]) => at), 25), String(cluster.id + 1), hueOf(cluster.id)]);
    }
    const places = spread(labels.map(([[x, y]]) => [x, y - 20]), 25);
    labels.forEach(([at, text, colour], i) => paintBadge(pen, v.ratio, places[i], text, colour, at));
    paintOver(v);
    element.dataset.ready = "true"; // tests and scripts wait for this
  });
}

function paintOver(v = view()) {
  const pen = over.getContext("2d");
  pen.clearRect(0, 0, over.width, over.height);
  if (path.length) paintPath(pen, v.ratio, path, accent());
  if (ringed !== null && ringed < points.n) paintRing(pen, v.ratio, v.toX(points.x[ringed]), v.toY(points.y[ringed]), v.radius, accent());
}

function readPoints() {
  const value = props.value;
  element.dataset.ready = "false";
  if (!value || !value.n) return;
  const floats = (text) => new Float32Array(bytes(text).buffer);
  const next = { n: value.n, x: floats(value.x), y: floats(value.y), loss: floats(value.loss), cluster: new Int16Array(bytes(value.cluster).buffer) };
  const span = value.high - value.low || 1;
  next.bin = Uint8Array.from(next.loss, (l) => Math.round(Math.max(0, Math.min(1, (l - value.low) / span)) * (BINS - 1)));
  next.order = Uint32Array.from(next.loss.keys()).sort((a, b) => next.loss[a] - next.loss[b]);
  for (const [axis, mid, half] of [["x", "midX", "halfX"], ["y", "midY", "halfY"]]) {
    let [low, high] = [Infinity, -Infinity];
    for (const at of next[axis]) [low, high] = [Math.min(low, at), Math.max(high, at)];
    [next[mid], next[half]] = [(low + high) / 2, (high - low) / 2 || 1];
  }
  const before = points;
  points = next;
  zoom = { k: 1, dx: 0, dy: 0 };
  ringed = stepped = peeked = null;
  element.classList.toggle("map-full", true);
  labelMap(value);
  readSelection();
  if (before && before.n === next.n && before.loss.every((l, i) => l === next.loss[i]) && !calm.matches) glide(before, next);
}

// The same samples in a new place, such as UMAP after PCA: let the eye follow them.
function glide(from, to) {
  const start = performance.now();
  const target = { x: to.x, y: to.y };
  const scaled = (axis, mid, half) => Float32Array.from(from[axis], (at) => ((at - from[mid]) / from[half]) * to[half] + to[mid]);
  const origin = { x: scaled("x", "midX", "halfX"), y: scaled("y", "midY", "halfY") };
  const frame = (now) => {
    if (points.n !== to.n) return;
    const t = Math.min(1, (now - start) / 900);
    const s = t * t * (3 - 2 * t);
    const mix = (axis) => (t < 1 ? Float32Array.from(target[axis], (at, i) => origin[axis][i] + s * (at - origin[axis][i])) : target[axis]);
    points = { ...to, x: mix("x"), y: mix("y") };
    paint();
    if (t < 1) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function labelMap(value) {
  const span = value.high - value.low || Math.abs(value.high) || 1;
  const digits = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(span)))); // two figures of the range
  const short = (v) => v.toFixed(digits);
  find(".map-low").textContent = `${short(value.low)}`;
  find(".map-high").textContent = `${short(value.high)} ${value.unit}`;
  const method = value.method === "umap" ? "UMAP of the embedding" : "PCA view of the embedding";
  find(".map-note").textContent = `Colour: ${value.loss_name}, 2nd to 98th percentile, worst drawn last. ${method}: for looking, not for testing.`;
  const names = value.clusters.map((c) => `${c.id + 1}: ${c.name}, ${c.size} samples`).join("; ");
  base.setAttribute("aria-label", `Failure map of ${value.n} samples. ${names ? "Clusters " + names : "No cluster was confirmed"}. The list beside it offers the same.`);
  paintRamp(find(".map-ramp"), isDark());
}

function readSelection() {
  const chosen = selected();
  mask = null;
  if (chosen && points) {
    const packed = bytes(chosen.mask);
    mask = Uint8Array.from({ length: points.n }, (_, i) => (packed[i >> 3] >> (i & 7)) & 1);
  }
  path = [];
  stepped = chosen && Number.isInteger(chosen.cluster) ? chosen.cluster : null;
  paint();
  paintOver(); // a lasso's outline goes with its run
}

// ---- the hand

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
  const [ox, oy] = [px - plate.clientWidth / 2, py - plate.clientHeight / 2 - 14];
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
    const row = nearest(at, 14);
    if (row !== null) send("point", { row });
    else if (selected()) send("clear", {});
    return;
  }
  if (wasMove) return;
  const v = view();
  const every = Math.ceil(path.length / 1500); // the server takes at most 2,000 vertices
  const polygon = path.filter((_, i) => i % every === 0).map(([px, py]) => [v.fromX(px), v.fromY(py)]);
  path = [];
  paintOver();
  send("lasso", { polygon });
});

over.addEventListener("pointercancel", () => { drag = null; path = []; paintOver(); });
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
  const row = nearest(at, 14);
  if (row === ringed) return;
  clearTimeout(hoverTimer);
  hideHover();
  if (row === null) return;
  ringed = row;
  paintOver();
  hoverTimer = setTimeout(() => showHover(row), 110);
}

async function showHover(row) {
  const run = props.value.run;
  if (cardsOf !== run) { cards.clear(); cardsOf = run; }
  if (!cards.has(row)) cards.set(row, await server.describe([run, row]));
  const card = cards.get(row);
  if (ringed !== row || !card) return;
  const image = hover.querySelector("img");
  image.hidden = !card.src;
  if (card.src) image.src = card.src;
  const text = hover.querySelector(".map-hover-text");
  text.replaceChildren(...[card.title, ...card.lines].map((line, i) => Object.assign(document.createElement(i ? "span" : "b"), { textContent: line })));
  hover.hidden = false;
  const v = view();
  const [x, y] = [v.toX(points.x[row]), v.toY(points.y[row])];
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
    live.textContent = `Cluster ${stepped + 1}: ${cluster.name}, ${cluster.size} samples. Enter opens it.`;
    paint();
  } else if (event.key === "Enter" && stepped !== null) send("cluster", { cluster: stepped });
  else if (event.key === "+" || event.key === "=") zoomAt(1.4);
  else if (event.key === "-") zoomAt(1 / 1.4);
  else if (event.key === "0") zoomAt(0);
  else return;
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !plate.isConnected || !plate.clientWidth || document.querySelector("dialog[open]")) return;
  if (path.length || drag) { drag = null; path = []; paintOver(); }
  else if (selected()) send("clear", {});
});

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || !points) return;
  if (button.dataset.tool) pickTool(button.dataset.tool);
  if (button.dataset.zoom) zoomAt({ in: 1.5, out: 1 / 1.5, fit: 0 }[button.dataset.zoom]);
});

window.addEventListener("errata:peek", (event) => { peeked = event.detail; paint(); });
window.addEventListener("errata:ring", (event) => { if (points) { ringed = event.detail; paintOver(); } });
new ResizeObserver(paint).observe(plate);
new MutationObserver(() => { if (points) { paintRamp(find(".map-ramp"), isDark()); paint(); } }).observe(document.body, { attributes: true, attributeFilter: ["class"] });

pickTool(window.matchMedia("(pointer: coarse)").matches ? "tap" : "lasso");
watch("value", readPoints);
watch("selection", readSelection);
watch("view", () => window.dispatchEvent(new CustomEvent("errata-view", { detail: props.view }))); // for link.js
readPoints();
