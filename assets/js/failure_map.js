// The failure map's behaviour: what is shown, and what the hand does. Runs inside gr.HTML's js_on_load, which gives
// `element`, `props`, `trigger`, `server` and `watch`; the other map_*.js stand before it in the same script.

const find = (selector) => element.querySelector(selector);
const plate = find(".map-plate");
const marks = find(".map-marks");
const over = find(".map-over");
const hover = find(".map-hover");
const live = find(".map-live");
const chooser = find(".map-colour select");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const isDark = () => document.body.classList.contains("dark");
const accent = () => getComputedStyle(plate).getPropertyValue("--accent").trim() || "#2563eb";

let layer = null; // what draws the points
let points = null; // {n, x, y, cluster, outlines, ...}
let colour = null; // what colours them: what colours.py gives, with `bytes` and `order`
let loaded = ""; // which of the two the layer holds, and how
let cellsAt = { key: "", scale: null }; // the ends of the colours of squares
let legend = ""; // what the legend says
let mask = null; // Uint8Array, 1 where selected
let zoom = { k: 1, dx: 0, dy: 0 };
let tool = "lasso";
let stepped = null; // the cluster that the arrow keys are on
let peeked = null; // the cluster whose card is under the mouse
let ringed = null; // the row whose ring is drawn
let path = []; // the outline being drawn, in pixels
let drag = null;
let turn = 0; // counts what was read, so that the layer is filled anew
const selected = () => (props.selection && props.selection.mask ? props.selection : null);

function startLayer(canvas) {
  layer = pointLayer(canvas, (event) => { // the card was taken away, as after sleep: go on without it
    event.preventDefault();
    layer = plainLayer(freshCanvas(layer.canvas));
    loaded = "";
    paint();
  });
}

function view() {
  const [width, height] = [plate.clientWidth, plate.clientHeight];
  const head = find(".map-tools").offsetHeight; // one row of buttons, two on a phone
  const room = Math.min(width - 56, height - 56 - head) / 2;
  const fit = { x: (width - 56) / 2 / points.halfX, y: (height - 64 - head) / 2 / points.halfY };
  const both = Math.min(fit.x, fit.y); // one scale for both axes, stretched a little at most where the plate is wide
  const kx = Math.min(fit.x, both * 1.35) * zoom.k;
  const ky = Math.min(fit.y, both * 1.35) * zoom.k;
  const radius = Math.max(1.6, Math.min(6, room / 13 / Math.sqrt(Math.sqrt(points.n)))) * Math.min(2.2, Math.pow(zoom.k, 0.35));
  const [midX, midY, middle] = [width / 2 + zoom.dx, height / 2 + head / 2 + zoom.dy, head / 2];
  return {
    width, height, radius, kx, ky, middle,
    ratio: window.devicePixelRatio || 1,
    toX: (x) => midX + (x - points.midX) * kx,
    toY: (y) => midY - (y - points.midY) * ky,
    fromX: (px) => (px - midX) / kx + points.midX,
    fromY: (py) => points.midY - (py - midY) / ky,
  };
}

let queued = false;
function paint() {
  if (queued || !points || !colour) return;
  queued = true;
  requestAnimationFrame(() => {
    queued = false;
    if (!plate.clientWidth || !plate.clientHeight || colour.bytes.length !== points.n) return; // not shown, or half read
    const v = view();
    for (const canvas of [layer.canvas, marks, over]) {
      const [w, h] = [Math.round(v.width * v.ratio), Math.round(v.height * v.ratio)];
      if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    }
    const pen = marks.getContext("2d");
    pen.clearRect(0, 0, marks.width, marks.height);
    const cells = paintSamples(pen, v);
    const words = `${turn} ${isDark()} ${cells ? `${cells.seen} ${cells.low} ${cells.high}` : ""}`;
    if (words !== legend && !drag) showLegend(find, colour, cells, props.value, isDark());
    if (!drag) legend = words; // how many are in sight is said when the hand rests
    element.dataset.outlines = paintClusters(pen, v);
    paintOver(v);
    element.dataset.renderer = layer.name;
    element.dataset.shown = cells ? "cells" : "points";
    element.dataset.colour = colour.key;
    element.dataset.ready = "true"; // tests and scripts wait for this
  });
}

// The samples as points, or as squares where there are too many; returns null, or the ends of the squares' colours and how many are in sight.
function paintSamples(pen, v) {
  const dark = isDark();
  const seen = points.n > MAX_POINTS ? countInSight(points, v) : 0;
  if (seen <= MAX_POINTS) {
    const key = `${turn} ${dark} ${layer.name}`;
    if (loaded !== key) layer.load(points, colour.bytes, paletteOf(colour, dark), Array.from({ length: 256 }, (_, byte) => signOf(colour, byte)), ...ordered());
    loaded = key;
    layer.draw(v, v.radius, dark, getComputedStyle(plate).backgroundColor.match(/\d+/g).map(Number));
    return null;
  }
  layer.clear();
  const whole = zoom.k === 1 && !zoom.dx && !zoom.dy;
  const key = `${colour.run} ${colour.key} ${Math.round(v.kx / zoom.k)}`;
  const every = mask ? null : cellsOf(points, colour, v, zoom.k, null, 0);
  if (cellsAt.key !== key) {
    const home = zoom;
    zoom = { k: 1, dx: 0, dy: 0 };
    cellsAt = { key, scale: cellScale(whole && every ? every : cellsOf(points, colour, view(), 1, null, 0), colour) };
    zoom = home;
  }
  const parts = every ? [[every, 1]] : [0, 1].map((keep) => [cellsOf(points, colour, v, zoom.k, mask, keep), keep ? 1 : 0.18]);
  for (const [cells, alpha] of parts) paintCells(pen, cells, colour, paletteOf(colour, dark), cellsAt.scale, v, alpha);
  return { ...cellsAt.scale, seen };
}

// [rows from below to above, the place from which on they are selected]
function ordered() {
  if (!mask) return [colour.order, points.n];
  const rest = colour.order.filter((i) => !mask[i]);
  const order = new Uint32Array(points.n);
  order.set(rest);
  order.set(colour.order.filter((i) => mask[i]), rest.length);
  return [order, rest.length];
}

// Outlines and numbers; returns how many outlines there are.
function paintClusters(pen, v) {
  if (!points.outlines) return 0; // on their way
  const chosen = selected() && selected().cluster;
  const labels = [];
  let drawn = 0;
  for (const { id } of props.value.clusters) {
    const outline = points.outlines.get(id);
    const strong = id === chosen || id === stepped || id === peeked;
    if (!outline || (mask && !strong)) continue;
    paintOutline(pen, outline.lines, v, hueOf(id), strong);
    drawn += outline.lines.length > 0;
    labels.push([[v.toX(outline.middle[0]), v.toY(outline.middle[1])], String(id + 1), hueOf(id)]);
  }
  const places = spread(labels.map(([[x, y]]) => [x, y - 20]), 25);
  labels.forEach(([at, text, colour], i) => paintBadge(pen, v.ratio, places[i], text, colour, at));
  return drawn;
}

function paintOver(v = view()) {
  const pen = over.getContext("2d");
  pen.clearRect(0, 0, over.width, over.height);
  if (path.length) paintPath(pen, v.ratio, path, accent());
  const at = selected() && selected().at; // of one sample that is not among those that are drawn
  if (at) paintRing(pen, v.ratio, v.toX(at[0]), v.toY(at[1]), v.radius, accent());
  if (ringed !== null && ringed < points.n) paintRing(pen, v.ratio, v.toX(points.x[ringed]), v.toY(points.y[ringed]), v.radius, accent());
}

// Which row each point is, where not all are drawn; else null.
function rowsOf({ gaps }) {
  if (!gaps) return null;
  let row = 0;
  return Uint32Array.from(new Uint16Array(bytes(gaps).buffer), (gap) => (row += gap));
}

const rowAt = (place) => (points.rows ? points.rows[place] : place);
function placeOf(row) { // null for a row that is not drawn
  if (row === null || !points.rows) return row;
  let [low, high] = [0, points.n];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points.rows[middle] < row) low = middle + 1; else high = middle;
  }
  return points.rows[low] === row ? low : null;
}

function readPoints() {
  const value = props.value;
  element.dataset.ready = "false";
  if (!value || !value.n) return;
  const places = (text, [low, step]) => Float32Array.from(new Uint16Array(bytes(text).buffer), (at) => low + at * step);
  const cluster = Int16Array.from(bytes(value.cluster), (id) => (id === 255 ? -1 : id));
  const next = { run: value.run, n: value.n, x: places(value.x, value.box[0]), y: places(value.y, value.box[1]), cluster, rows: rowsOf(value) };
  for (const [axis, mid, half] of [["x", "midX", "halfX"], ["y", "midY", "halfY"]]) {
    let [low, high] = [Infinity, -Infinity];
    for (const at of next[axis]) [low, high] = [Math.min(low, at), Math.max(high, at)];
    [next[mid], next[half]] = [(low + high) / 2, (high - low) / 2 || 1];
  }
  next.outlines = new Map(value.clusters.map((cluster) => [cluster.id, outlineOf(next, cluster.id)]));
  const before = points;
  points = next;
  turn += 1;
  zoom = { k: 1, dx: 0, dy: 0 };
  ringed = stepped = peeked = null;
  element.classList.toggle("map-full", true);
  const names = value.clusters.map((c) => `${c.id + 1}: ${c.name}, ${c.size} samples`).join("; ");
  marks.setAttribute("aria-label", `Failure map of ${value.of} samples. ${names ? "Groups " + names : "No confirmed group"}. The list beside it offers the same.`);
  readColour();
  readSelection();
  if (before && before.run === next.run && before.n === next.n && !calm.matches && next.n <= MAX_POINTS) glide(before, next);
}

// The same samples in a new place, such as UMAP after PCA: let the eye follow them.
function glide(from, to) {
  const start = performance.now();
  const target = { x: to.x, y: to.y };
  const scaled = (axis, mid, half) => Float32Array.from(from[axis], (at) => ((at - from[mid]) / from[half]) * to[half] + to[mid]);
  const origin = { x: scaled("x", "midX", "halfX"), y: scaled("y", "midY", "halfY") };
  const frame = (now) => {
    if (points.n !== to.n || points.run !== to.run) return;
    const t = Math.min(1, (now - start) / 900);
    const s = t * t * (3 - 2 * t);
    const mix = (axis) => (t < 1 ? Float32Array.from(target[axis], (at, i) => origin[axis][i] + s * (at - origin[axis][i])) : target[axis]);
    points = { ...to, x: mix("x"), y: mix("y"), outlines: t < 1 ? null : to.outlines };
    turn += 1;
    paint();
    if (t < 1) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

// The colours of the points; those of another run wait until its points are there, too.
function readColour() {
  const value = props.colour;
  if (!value || !points || value.run !== points.run) return;
  colour = { ...value, bytes: bytes(value.values) };
  if (colour.bytes.length !== points.n) return;
  colour.order = drawingOrder(colour, points.n);
  turn += 1;
  listColours(value);
  paint();
}

let listed = "", offered = ""; // the run whose columns the list offers, and their keys: a person's sets come and go
let wanted = null; // the column that was asked for last and is not there yet
let patience = 0; // one question at a time; where no answer comes the next one may be asked after a while

function askColour(key) {
  wanted = key;
  if (patience) return;
  patience = setTimeout(() => { patience = 0; }, 8000);
  send("colour", { key });
}

function listColours({ run, choices, key }) {
  clearTimeout(patience);
  patience = 0;
  const keys = JSON.stringify([run, ...choices.map((choice) => choice.key)]);
  if (offered !== keys) fillColours(choices);
  offered = keys;
  if (listed === run && wanted && wanted !== key) { // the hand is ahead
    chooser.value = wanted;
    return askColour(wanted);
  }
  wanted = null;
  [listed, chooser.value] = [run, key];
}

function fillColours(choices) {
  const groups = new Map();
  for (const choice of choices) {
    if (!groups.has(choice.group)) groups.set(choice.group, Object.assign(document.createElement("optgroup"), { label: choice.group }));
    groups.get(choice.group).append(new Option(choice.title, choice.key));
  }
  chooser.replaceChildren(...groups.values());
}

function readSelection() {
  const chosen = selected();
  mask = null;
  if (chosen && points) {
    const packed = bytes(chosen.mask);
    mask = Uint8Array.from({ length: points.n }, (_, i) => (packed[i >> 3] >> (i & 7)) & 1);
  }
  path = [];
  turn += 1;
  stepped = chosen && Number.isInteger(chosen.cluster) ? chosen.cluster : null;
  paint();
  if (points) paintOver(); // a lasso's outline goes with its run
}
