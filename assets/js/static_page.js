// A run as a page that needs no server: the map and the pane of the live page, with what the server would say read from the page itself.
// `parts` holds the scripts of the live page, each a function of (element, props, trigger, watch, server); they stand before this one.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (selector) => document.querySelector(selector);
const made = (tag, fields = {}, ...children) => { const node = Object.assign(document.createElement(tag), fields); node.append(...children); return node; };
const unpack = (text, kind) => new kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const [loss, predicted] = [unpack(data.loss, Float32Array), unpack(data.predicted, Float32Array)];
const cluster = Int16Array.from(unpack(data.points.cluster, Uint8Array), (id) => (id === 255 ? -1 : id));
const [xs, ys] = ["x", "y"].map((axis, k) => Float32Array.from(unpack(data.points[axis], Uint16Array), (at) => data.points.box[k][0] + at * data.points.box[k][1]));
const pictured = new Map(data.pictured);
const PAGE = 24;
const saidOf = (row) => data.said[row].join(", model: "); // the class, and what was predicted where that is another
const shortly = (value) => (Number.isFinite(value) ? value.toPrecision(3) : "–");

// A part of the live page: `set` is what the server's answer does there.
function part(selector, run, props, trigger) {
  const watched = {};
  const element = $(selector);
  const watch = (name, then) => (watched[name] ??= []).push(then);
  const server = { describe: async ([, row]) => describe(row) };
  run(element, props, trigger, watch, server);
  return { element, props, set(values) { Object.assign(props, values); for (const name of Object.keys(values)) for (const then of watched[name] ?? []) then(); } };
}

function describe(row) {
  const place = pictured.get(row);
  const lines = data.lines[row] ?? [`loss ${shortly(loss[row])} ${data.unit}`, `expected from the embedding ${shortly(predicted[row])}`, saidOf(row)].filter(Boolean);
  return { src: place === undefined ? "" : `pictures/${place}.webp`, title: data.ids[row], lines, text: data.texts[row] ?? "", worth: "" };
}

const colourOf = (key) => ({ ...data.colours[key], run: data.points.run, key, choices: data.choices });
function maskOf(rows) {
  const packed = new Uint8Array(Math.ceil(data.points.n / 8));
  for (const row of rows) packed[row >> 3] |= 1 << (row & 7);
  let text = "";
  for (let at = 0; at < packed.length; at += 8192) text += String.fromCharCode(...packed.subarray(at, at + 8192));
  return btoa(text);
}

let now = { view: "list", rows: null, title: "", shown: PAGE, page: 0 };
function show(next) {
  now = { shown: PAGE, page: 0, rows: null, title: "", ...next };
  if (now.view) {
    pane.element.replaceChildren(...document.importNode($(`template[data-view="${now.view}"]`).content, true).childNodes);
    now.rows = data.members[now.view] ?? null;
  } else pane.element.replaceChildren(...selection());
  pane.set({ value: now.view ?? "selection" });
  map.set({ selection: now.rows ? { mask: maskOf(now.rows), count: now.rows.length, cluster: now.cluster ?? null } : { count: 0 } });
  table();
}

function inside(polygon) {
  const rows = [];
  for (let i = 0; i < data.points.n; i++) {
    let is = false;
    for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
      const [[ax, ay], [bx, by]] = [polygon[a], polygon[b]];
      if (ay > ys[i] !== by > ys[i] && xs[i] < ((bx - ax) * (ys[i] - ay)) / (by - ay) + ax) is = !is;
    }
    if (is) rows.push(i);
  }
  return rows;
}

const mean = (rows) => rows.reduce((sum, row) => sum + loss[row], 0) / rows.length;
const worstFirst = (rows) => [...rows].sort((a, b) => loss[b] - loss[a]);

// A selection by eye, or a single sample: exploratory, as on the live page.
function* selection() {
  const one = now.rows.length === 1;
  const head = made("div", { className: "pane-head" });
  const back = made("button", { type: "button", className: "plain back", textContent: "← All groups" });
  back.dataset.do = "clear";
  head.append(made("div", { className: "pane-nav" }, back), made("h2", { className: "pane-title", tabIndex: -1, textContent: now.title }));
  head.append(made("p", { className: "selection-chip", textContent: `${now.rows.length.toLocaleString("en")} selected, mean loss ${shortly(mean(now.rows))} ${data.unit}` }));
  if (!one) head.append(made("p", { className: "flag", textContent: "Not tested: you chose these after seeing their losses." }));
  yield head;
  const body = made("div", { className: "pane-body" });
  const rows = worstFirst(now.rows);
  body.append(made("div", { className: one ? "gallery solo" : "gallery" }, ...rows.slice(0, now.shown).map(tile)));
  if (rows.length > now.shown) {
    const more = made("button", { type: "button", className: "plain more", textContent: `Show more of ${rows.length.toLocaleString("en")}` });
    more.dataset.do = "more";
    body.append(more);
  }
  if (one) body.append(made("ul", { className: "facts-list" }, ...describe(rows[0]).lines.map((line) => made("li", { textContent: line }))));
  yield body;
}

function tile(row) {
  const { src, title, text } = describe(row);
  const said = saidOf(row), [label = "", other] = data.said[row];
  const button = made("button", { type: "button", className: "tile", title: said ? `${title}: ${said}` : title });
  button.dataset.row = row;
  button.dataset.zoom = "";
  button.append(src ? made("img", { src, alt: `${said || title}, loss ${shortly(loss[row])}`, loading: "lazy" }) : made("span", { className: "no-picture", textContent: text ? text.slice(0, 90) : title }));
  button.append(made("span", { className: "tile-foot" }, made("span", { textContent: label }), made("small", {}, "loss ", made("b", { textContent: shortly(loss[row]) }))));
  if (other !== undefined) button.append(made("span", { className: "tile-line", textContent: `model: ${other}` }));
  return button;
}

let order = { by: "loss", falling: true }, wanted = "";
const textOf = (row) => data.texts[row] ?? "", hasTexts = Object.keys(data.texts).length > 0;
const isWanted = (row) => !wanted || `${data.ids[row]} ${textOf(row)} ${saidOf(row)}`.toLowerCase().includes(wanted);
const COLUMNS = { id: (row) => data.ids[row], ...(hasTexts ? { text: textOf } : {}), loss: (row) => loss[row], predicted: (row) => predicted[row], prediction: saidOf, cluster: (row) => (cluster[row] < 0 ? Infinity : cluster[row] + 1) };
function table() {
  const rows = (now.rows ?? Array.from({ length: data.points.n }, (_, i) => i)).filter(isWanted);
  const value = COLUMNS[order.by];
  rows.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (order.falling ? -1 : 1));
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  now.page = Math.min(Math.max(now.page, 0), pages - 1);
  const head = made("tr", {}, ...Object.keys(COLUMNS).map((name) => {
    const th = made("th", { scope: "col" }, made("button", { type: "button", className: "plain", textContent: name }));
    if (name === order.by) th.setAttribute("aria-sort", order.falling ? "descending" : "ascending");
    th.firstChild.dataset.sort = name;
    return th;
  }));
  const lines = rows.slice(now.page * PAGE, (now.page + 1) * PAGE).map((row) => {
    const open = made("button", { type: "button", className: "plain", textContent: data.ids[row] });
    open.dataset.open = row;
    const cells = [shortly(loss[row]), shortly(predicted[row]), saidOf(row), cluster[row] < 0 ? "" : String(cluster[row] + 1)];
    const tr = made("tr", {}, made("th", { scope: "row" }, open), ...(hasTexts ? [made("td", { className: "said", textContent: textOf(row).slice(0, 90) })] : []), ...cells.map((text) => made("td", { textContent: text })));
    tr.dataset.row = row;
    return tr;
  });
  const turn = (text, by) => { const b = made("button", { type: "button", className: "plain", textContent: text, disabled: now.page + by < 0 || now.page + by >= pages }); b.dataset.turn = by; return b; };
  $("#samples").replaceChildren(
    made("p", { className: "samples-n", textContent: now.rows || wanted ? `${rows.length.toLocaleString("en")} of ${data.points.n.toLocaleString("en")} samples` : `All ${rows.length.toLocaleString("en")} samples` }),
    made("div", { className: "samples-table", tabIndex: 0 }, made("table", {}, made("thead", {}, head), made("tbody", {}, ...lines))),
    made("p", { className: "samples-foot" }, made("span", { textContent: `Page ${now.page + 1} of ${pages}` }), turn("Previous", -1), turn("Next", 1)),
  );
}
$("#find").addEventListener("input", ({ target }) => { wanted = target.value.trim().toLowerCase(); now.page = 0; table(); });
$("#samples").addEventListener("click", ({ target }) => {
  const said = target.closest("button")?.dataset ?? {};
  if (said.sort) { order = { by: said.sort, falling: said.sort === order.by ? !order.falling : said.sort === "loss" || said.sort === "predicted" }; table(); }
  else if (said.turn) { now.page += Number(said.turn); table(); }
  else if (said.open) { showRow(Number(said.open)); scrollTo(0, 0); }
});

const showRow = (row) => show({ view: null, rows: [row], title: data.ids[row] });
const showCluster = (id) => show({ view: `cluster-${id}`, cluster: id });
const ids = data.points.clusters.map((c) => c.id);
const onMap = {
  lasso: ({ polygon }) => { const rows = inside(polygon); show(rows.length ? { view: null, rows, title: "Your selection" } : { view: "list" }); },
  point: ({ row }) => (cluster[row] >= 0 && now.cluster !== cluster[row] ? showCluster(cluster[row]) : showRow(row)),
  cluster: ({ cluster: id }) => showCluster(id),
  colour: ({ key }) => map.set({ colour: colourOf(key) }),
  clear: () => show({ view: "list" }),
};
const onPane = {
  cluster: (said) => showCluster(Number(said.cluster)),
  candidate: (said) => show({ view: `candidate-${Number(said.candidate)}` }),
  step: (said) => showCluster(ids[(Math.max(0, ids.indexOf(now.cluster)) + Number(said.by) + ids.length) % ids.length]),
  more: () => show({ ...now, shown: now.shown + PAGE }),
  clear: () => show({ view: "list" }),
};
const map = part("#map", parts.map, { value: data.points, colour: colourOf("loss"), selection: { count: 0 }, view: null }, (name, said) => onMap[name]?.(said));
const pane = part("#pane", parts.pane, { value: "list", run: data.points.run }, (name, said) => onPane[said.do]?.(said));
show({ view: "list" });
const dark = matchMedia("(prefers-color-scheme: dark)");
document.body.classList.toggle("dark", dark.matches);
$(".theme-switch").addEventListener("click", () => document.body.classList.toggle("dark"));
