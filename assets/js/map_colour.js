// Colours, signs and words of the failure map: what a row's byte looks like, and the legend that says so.

// Cividis at 9 stops (Nunez et al. 2018, CC0); linear in between. Dark blue is low, yellow high.
const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#fee838"];
const BLUE_ORANGE = { light: ["#0b4f9e", "#5b93cc", "#b9bfc6", "#dd8f45", "#a84300"], dark: ["#6db4ff", "#4477ad", "#4b515b", "#b06a2b", "#ff9d45"] };
const HUES = ["#d55e00", "#0a9a76", "#c764a0", "#2f8fd0", "#c98a00", "#7a6ff0", "#b5443c", "#5d8a1d"]; // in step with html.py
const GREY = { light: ["#9aa3af", "#c3c9d1"], dark: ["#6f7885", "#3f4752"] }; // other values; no value
const STEPS = 254, ZERO = 127, MISSING = 255, OTHER = 8; // in step with colours.py
const SIGNS = 9, DOT = 8; // signs of the hues, and a small dot for the rest

const hueOf = (cluster) => HUES[cluster % HUES.length];
const partsOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function onRamp(stops, t) {
  const at = Math.max(0, Math.min(1, t)) * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2);
  const [low, high] = [partsOf(stops[i]), partsOf(stops[i + 1])];
  return low.map((part, k) => Math.round(part + (at - i) * (high[k] - part)));
}

// The colour at a share from 0 to 1 of the scale. On a dark plate cividis' lowest stops would vanish: it starts a little higher there.
const rampColour = (kind, t, dark) => (kind === "diverging" ? onRamp(BLUE_ORANGE[dark ? "dark" : "light"], t) : onRamp(CIVIDIS, dark ? 0.09 + 0.91 * t : t));

// [r, g, b] of each of the 256 bytes.
function paletteOf(colour, dark) {
  const [other, none] = GREY[dark ? "dark" : "light"].map(partsOf);
  const of = (byte) => {
    if (byte === MISSING) return none;
    if (colour.kind === "category") return byte < OTHER ? partsOf(HUES[byte]) : other;
    return rampColour(colour.kind, byte / STEPS, dark);
  };
  return Array.from({ length: 256 }, (_, byte) => of(byte));
}

const signOf = (colour, byte) => (colour.kind !== "category" ? (byte === MISSING ? DOT : 0) : byte < OTHER ? byte : DOT);

// The outline of a sign of that radius; every hue has one of its own, so that colour is not the only mark.
function signPath(pen, sign, x, y, r) {
  const corners = (list) => { list.forEach(([px, py], i) => (i ? pen.lineTo(x + px * r, y + py * r) : pen.moveTo(x + px * r, y + py * r))); pen.closePath(); };
  const a = 0.36, plus = [[-a, -1], [a, -1], [a, -a], [1, -a], [1, a], [a, a], [a, 1], [-a, 1], [-a, a], [-1, a], [-1, -a], [-a, -a]];
  pen.beginPath();
  if (sign === 1) pen.rect(x - 0.85 * r, y - 0.85 * r, 1.7 * r, 1.7 * r);
  else if (sign === 2) corners([[0, -1], [1, 0.8], [-1, 0.8]]);
  else if (sign === 3) corners([[0, -1.05], [1.05, 0], [0, 1.05], [-1.05, 0]]);
  else if (sign === 4) corners(plus);
  else if (sign === 5) corners([[0, 1], [1, -0.8], [-1, -0.8]]);
  else if (sign === 6) corners(plus.map(([px, py]) => [(px - py) * 0.72, (px + py) * 0.72]));
  else pen.arc(x, y, (sign === DOT ? 0.62 : 1) * r, 0, 2 * Math.PI);
  if (sign === 7) pen.arc(x, y, 0.45 * r, 0, 2 * Math.PI, true); // a ring
}

// Rows from below to above: the highest value on top, or what is farthest from zero; values of a category in no order, what has none below.
function drawingOrder(colour, n) {
  const key = new Uint8Array(n);
  const starts = new Uint32Array(257);
  for (let i = 0; i < n; i++) {
    const byte = colour.bytes[i];
    if (colour.kind === "category") key[i] = byte < OTHER ? 1 + ((Math.imul(i, 2654435761) >>> 24) % 255) : 0;
    else if (byte !== MISSING) key[i] = 1 + (colour.kind === "diverging" ? Math.abs(byte - ZERO) : byte);
    starts[key[i] + 1] += 1;
  }
  for (let at = 1; at < 257; at++) starts[at] += starts[at - 1];
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[starts[key[i]]++] = i;
  return order;
}

// ---- the legend

const valueAt = (colour, byte) => colour.low + (byte / STEPS) * (colour.high - colour.low);

function short(value, low, high) {
  const span = high - low || Math.abs(high) || 1;
  const digits = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(span)))); // two figures of the range
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative" }).replace("-", "−"); // no −0.0
}

function paintRamp(canvas, kind, dark) {
  const pen = canvas.getContext("2d");
  for (let x = 0; x < canvas.width; x++) {
    pen.fillStyle = `rgb(${rampColour(kind, x / (canvas.width - 1), dark).join(",")})`;
    pen.fillRect(x, 0, 1, 1);
  }
}

function chip({ label, count }, place, rgb) {
  const sign = Object.assign(document.createElement("canvas"), { width: 28, height: 28, className: "map-sign" });
  sign.setAttribute("aria-hidden", "true");
  const pen = sign.getContext("2d");
  signPath(pen, Math.min(place, DOT), 14, 14, 11);
  pen.fillStyle = `rgb(${rgb.join(",")})`;
  pen.fill();
  const item = document.createElement("li");
  item.append(sign, Object.assign(document.createElement("span"), { textContent: label }), Object.assign(document.createElement("b"), { textContent: count.toLocaleString("en") }));
  item.title = `${label}: ${count.toLocaleString("en")}`;
  return item;
}

// What the colours mean, in words. `cells` is null where points are shown, else {low, high} in bytes of the scale and {seen}.
function legendWords(colour, cells) {
  const category = colour.kind === "category";
  const named = category ? `Color and sign: ${colour.title}` : `Color: ${colour.title}`;
  const missing = colour.missing && !category ? `; gray: ${colour.missing.toLocaleString("en")} ${colour.none}` : "";
  if (category && cells) return `Color: most frequent ${colour.title} in each cell${missing}.`;
  if (category) return `${named}${missing}.`;
  const ends = colour.kind === "diverging" ? "zero in the middle, ends at the" : "";
  if (cells) return `Color: mean of each cell, ${colour.title}, ${ends || "from the"} ${ends ? "98th percentile of the cells' distance from it" : "2nd to the 98th percentile of the cells"}${missing}.`;
  const scale = ends ? `${ends} farther of the 2nd and 98th percentile, the farthest drawn last` : "2nd to 98th percentile, the highest drawn last";
  return `${named}, ${scale}${missing}.`;
}

// find(selector) gives the parts of the foot.
function showLegend(find, colour, cells, { method, n, of }, dark) {
  const category = colour.kind === "category";
  find(".map-bar").hidden = category;
  find(".map-signs").hidden = !category;
  const [low, high] = cells && !category ? [valueAt(colour, cells.low), valueAt(colour, cells.high)] : [colour.low, colour.high];
  if (category) {
    const palette = paletteOf(colour, dark);
    const rows = colour.legend.map((entry, i) => chip(entry, i, palette[i]));
    if (colour.missing) rows.push(chip({ label: colour.none, count: colour.missing }, DOT, palette[MISSING]));
    find(".map-signs").replaceChildren(...rows);
  } else {
    paintRamp(find(".map-ramp"), colour.kind, dark);
    find(".map-low").textContent = short(low, low, high);
    find(".map-high").textContent = short(high, low, high);
  }
  const part = of > n ? ` ${n.toLocaleString("en")} of ${of.toLocaleString("en")} samples are drawn, at random; all are counted and listed.` : "";
  const shown = cells ? ` ${cells.seen.toLocaleString("en")} ${part ? "of these" : "samples"} in view, shown as squares, paler where fewer. Zoom in for points.` : "";
  const view = method === "umap" ? "UMAP of the embedding" : "PCA view of the embedding";
  const note = find(".map-note");
  note.textContent = `${legendWords(colour, cells)}${part}${shown} ${view}; no test uses the map.`;
  note.title = colour.meaning ? `${colour.title}: ${colour.meaning}` : "";
}
