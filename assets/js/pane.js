// Behaviour of a pane whose markup the server writes: a button with data-do becomes one "act" event, tabs switch here.
// Runs inside gr.HTML's js_on_load (`element`, `trigger`, `server`).

let byHand = false;
const tell = (name, detail) => window.dispatchEvent(new CustomEvent(name, { detail }));

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.do) {
    byHand = true;
    trigger("act", { ...button.dataset });
  } else if (button.dataset.place) {
    document.querySelector(`#tabs [data-tab-id="${button.dataset.place}"]`)?.click();
    if (button.dataset.kind) tell("errata:compared", button.dataset.kind);
  } else if (button.dataset.tab) pickTab(button);
  else if (button.dataset.open) unfold(button.dataset.open);
  else if (button.hasAttribute("data-zoom")) enlarge(button);
});

function pickTab(tab) {
  for (const other of tab.parentElement.children) {
    other.setAttribute("aria-selected", String(other === tab));
    element.querySelector("#panel-" + other.dataset.tab).hidden = other !== tab;
  }
}

// In a talk an arrow or a page key leads to the next group, or back.
document.addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 }[event.key];
  if (!by || !document.body.matches(".embedded.large") || event.target.matches("input")) return;
  const screens = [...element.querySelectorAll(".pane-body > .finding, .talk-ask")];
  const next = screens[screens.findLastIndex((screen) => screen.getBoundingClientRect().top < innerHeight / 2) + by];
  if (!next) return;
  event.preventDefault();
  next.scrollIntoView();
});

// The last screen of a talk asks: the place Ask opens at that question.
element.addEventListener("submit", (event) => {
  if (!event.target.matches(".talk-ask")) return;
  event.preventDefault();
  const at = new URLSearchParams(location.search);
  at.set("tab", "ask");
  at.set("ask", event.target.elements.ask.value);
  location.search = at.toString();
});

// A part of the page that is folded away elsewhere, perhaps in the fold at the end, which is built when it is opened.
async function unfold(id) {
  const find = () => document.getElementById(id);
  if (!find()?.offsetParent) document.querySelector("#closing .label-wrap").click();
  for (let waited = 0; !find()?.offsetParent && waited < 100; waited++) await new Promise((done) => setTimeout(done, 100));
  const part = find();
  if (!part) return;
  part.open = true;
  part.scrollIntoView({ block: "center" });
  (part.querySelector("input, textarea, button") ?? part.querySelector("summary")).focus({ preventScroll: true });
}

element.addEventListener("keydown", (event) => {
  const tab = event.target.closest("[role=tab]");
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !by) return;
  const all = [...tab.parentElement.children];
  const next = all[(all.indexOf(tab) + by + all.length) % all.length];
  pickTab(next);
  next.focus();
});

// A picture enlarged, with what is known of it, in the browser's own dialog: Escape and the backdrop close it, left and
// right arrows lead to the samples beside it. What is
// higher than the window scrolls above the buttons, which stay in sight.
async function enlarge(tile) {
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  const image = tile.querySelector("img");
  const seen = dialog.appendChild(Object.assign(document.createElement("div"), { className: "seen" }));
  if (image) seen.append(Object.assign(document.createElement("img"), { src: image.src.replace("/clip?", "/frames?"), alt: image.alt }));
  const text = seen.appendChild(document.createElement("div"));
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
  close.addEventListener("click", () => dialog.close());
  dialog.appendChild(Object.assign(document.createElement("div"), { className: "under" })).append(close);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || event.target.closest("input")) return;
    event.preventDefault();
    const all = [...element.querySelectorAll("[data-zoom][data-row]")].filter((other) => other.offsetParent);
    const next = all[all.indexOf(tile) + by];
    if (next) { dialog.close(); enlarge(next); }
  });
  dialog.addEventListener("close", () => { dialog.remove(); tile.focus(); });
  document.body.append(dialog);
  dialog.showModal();
  const card = await server.describe([props.run, Number(tile.dataset.row), true]);
  if (card?.text) { // read as a whole, not as a card
    dialog.querySelector("img")?.remove();
    seen.prepend(Object.assign(document.createElement("blockquote"), { textContent: card.text }));
  }
  if (card) text.replaceChildren(...[card.title, ...card.lines].map((line, i) => Object.assign(document.createElement(i ? "p" : "h3"), { textContent: line })));
  if (card?.words) text.append(...outlined(dialog.querySelector("img"), card.words));
  if (card?.worth) text.append(Object.assign(document.createElement("p"), { className: "muted worth", textContent: card.worth }));
  if (image && card?.moving) close.before(player(dialog.querySelector("img"), card));
  dialog.classList.toggle("beside", Boolean(dialog.querySelector("img")) || typeof card?.moments === "string");
  if (typeof card?.moments === "string") text.append(moments(tile, tile.closest("[data-like]")?.dataset.like || card.moments));
}

// A clip plays on request: nothing moves by itself.
function player(image, card) {
  const still = image.src;
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Play the clip" });
  button.addEventListener("click", () => {
    const plays = image.src === still;
    image.src = plays ? card.src : still;
    button.textContent = plays ? "Show its frames" : "Play the clip";
  });
  return button;
}

// When an enlarged clip looks like a text: the server draws it, at once where a phrase is known.
function moments(tile, phrase) {
  const form = Object.assign(document.createElement("form"), { className: "moments" });
  const label = form.appendChild(Object.assign(document.createElement("label"), { textContent: "When does it look like" }));
  const field = label.appendChild(Object.assign(document.createElement("input"), { type: "text", maxLength: 300, value: phrase, placeholder: "such as: a red ball" }));
  form.append(Object.assign(document.createElement("button"), { type: "submit", textContent: "Show" }));
  const drawn = form.appendChild(Object.assign(document.createElement("div"), { ariaLive: "polite" }));
  let latest = 0;
  const draw = async () => {
    const mine = ++latest;
    drawn.textContent = "Searching. The first time, loading the encoder takes some seconds.";
    const card = await server.describe([props.run, Number(tile.dataset.row), true, field.value]).catch(() => null);
    if (mine === latest) drawn.innerHTML = card?.moment ?? "<p>The server gave no answer. Try again.</p>"; // the server escapes every text
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); if (field.value.trim()) draw(); else field.focus(); });
  if (phrase) draw();
  return form;
}

// The cells of visual words on the enlarged picture, and what their colours mean.
function outlined(image, words) {
  if (image && words.src) Object.assign(image, { src: words.src, alt: `${image.alt}, ${words.alt}` });
  const lines = words.legend.map(([colour, said]) => {
    const line = Object.assign(document.createElement("p"), { className: "word-legend", textContent: said });
    line.prepend(Object.assign(document.createElement("i"), { style: `background:${colour}` }));
    return line;
  });
  return words.said ? [...lines, Object.assign(document.createElement("p"), { className: "muted word-legend", textContent: words.said })] : lines;
}

const hovered = (event, selector) => { const found = event.target.closest(selector); return found && element.contains(found) ? found : null; };
for (const [on, off] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  element.addEventListener(on, (event) => {
    const card = hovered(event, "[data-cluster]");
    const tile = hovered(event, "[data-row]");
    if (card) tell("errata:peek", Number(card.dataset.cluster));
    if (tile) tell("errata:ring", Number(tile.dataset.row));
  });
  element.addEventListener(off, (event) => {
    if (hovered(event, "[data-cluster]")) tell("errata:peek", null);
    if (hovered(event, "[data-row]")) tell("errata:ring", null);
  });
}

// The map stays open, or closed, while the list is written again.
let mapOpen = false;
element.addEventListener("toggle", (event) => { if (event.target.matches(".map-fold")) mapOpen = event.target.open; }, true);

// A new subject starts at its top with the keyboard on its title; "Show more" leaves the reader where they are. Back in the
// list the keyboard is on the card that was left.
let subject = "", left = "";
element.addEventListener("click", (event) => { left = hovered(event, ".card[data-cluster]")?.dataset.cluster ?? left; });
watch("value", () => {
  const fold = element.querySelector(".map-fold");
  if (fold && mapOpen) fold.open = true;
  const title = element.querySelector(".pane-title");
  const now = title ? title.textContent : "";
  if (now !== subject) {
    const body = element.querySelector(".pane-body");
    if (body) body.scrollTop = 0;
    if (title && byHand) title.focus({ preventScroll: true });
    if (!title && document.activeElement === document.body) element.querySelector(`.card[data-cluster="${left}"]`)?.focus();
  }
  subject = now;
  byHand = false;
  tell("errata:peek", null);
});
