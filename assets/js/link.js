// The page's address says what is open, so that a link opens the same view; the browser remembers the ids of its own runs.
// Runs inside gr.HTML's js_on_load (`element`, `props`, `trigger`, `watch`); webapp/address.py is the other half.

const MINE = "errata-runs", MOST = 50, ID = /^[\w-]{22}$/;
const OF_RUN = ["job", "run", "cluster", "candidate", "row", "set", "lasso", "filter", "colour", "beside", "clicks"], OF_VIEW = ["tab", "ask", "than", "as"], OF_PAGE = ["embed", "size", "__theme"];
const asked = new URLSearchParams(location.search);
const plain = props.value; // what an address without anything opens
let now = plain, sent = [], own = [], arriving = false, again = false, patience = 0, opens = false, named = false, missed = "";
let view = pick(asked, OF_VIEW);

function pick(from, keys) {
  return Object.fromEntries(keys.filter((key) => from.get(key)).map((key) => [key, from.get(key)]));
}
const mine = () => {
  try {
    const kept = JSON.parse(localStorage.getItem(MINE) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string" && ID.test(id)).slice(-MOST) : [];
  } catch {
    return []; // No storage, as in a sandboxed frame, or what another page has written there.
  }
};
const keep = (ids) => {
  try {
    if (ids.length) localStorage.setItem(MINE, JSON.stringify(ids.slice(-MOST))); else localStorage.removeItem(MINE);
  } catch { /* as above */ }
};

function search() {
  const same = JSON.stringify(now) === JSON.stringify(plain);
  const { as, ...asking } = view;
  const tab = view.tab && view.tab !== "explore" ? { tab: view.tab } : {};
  const table = view.tab === "samples" && as ? { as } : {};
  const parts = { ...(same ? {} : now), ...(view.tab === "ask" ? asking : tab), ...table, ...pick(asked, OF_PAGE) };
  const text = new URLSearchParams(parts).toString();
  return text ? `?${text}` : location.pathname;
}
function write() {
  const to = search();
  if (to === (location.search || location.pathname)) return;
  try { history[arriving ? "replaceState" : "pushState"](null, "", to); } catch { /* a frame that may not, or too many at once */ }
}

function go(back) {
  if (arriving) { again = true; return; } // one at a time: what was asked for earlier is not written into a later address
  const at = new URLSearchParams(location.search);
  view = pick(at, OF_VIEW);
  sent = mine();
  const query = pick(at, [...OF_RUN, ...OF_VIEW]);
  if (!back && !props.lists && !sent.length && !Object.keys(query).length) return;
  arriving = true;
  opens = Object.keys(query).length > 0; // else the answer is the list of runs alone, and the tab stays
  named = "job" in query;
  patience = setTimeout(arrived, 10_000); // where no answer comes
  trigger("go", { query, own: sent, back });
}

function arrived() {
  clearTimeout(patience);
  arriving = false;
  document.documentElement.classList.remove("arriving"); // see theme.js
  document.querySelector(".arriving-note")?.replaceChildren();
  if (again) { again = false; go(true); }
  else if (missed && missed === chosen()) turn(missed);
  missed = "";
}

window.addEventListener("errata-view", ({ detail }) => {
  if (!detail) return;
  now = detail.query;
  const open = document.querySelector(".open-run"); // what every tab works on
  if (open) { open.hidden = !detail.name; open.querySelector("b").textContent = detail.name ?? ""; }
  const before = own;
  own = detail.own;
  const gone = [...sent, ...before].filter((id) => !own.includes(id));
  keep([...new Set([...mine().filter((id) => !gone.includes(id)), ...own])]);
  sent = [];
  if (named) view = { ...view, tab: chosen() }; // a job that has finished opens its run in another tab than its address says
  named = false;
  if (!again) write();
  arrived();
});

// The tab is the browser's alone: the server is told of it only by a link.
function turn(tab) {
  view = { ...view, tab };
  write();
  scrollTo(0, 0); // what a press far down another tab opened begins at its top
}
const chosen = () => document.querySelector('#tabs [role="tab"][aria-selected="true"]')?.getAttribute("data-tab-id") ?? "";
new MutationObserver(() => {
  const tab = chosen();
  if (!tab || tab === (view.tab ?? "explore")) return;
  if (!arriving) turn(tab);
  else if (!opens || !view.tab) missed = tab; // written with the answer
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["aria-selected"] }); // the tabs may come after this

// A question is a part of the view from the moment that it is asked.
document.addEventListener("click", (event) => event.target.closest?.("#ask") && note(), true);
document.addEventListener("keydown", (event) => event.key === "Enter" && event.target.closest?.("#question, #compare") && note(), true);
function note() {
  const said = { ask: document.querySelector("#question :is(input, textarea)")?.value.trim(), than: document.querySelector("#compare :is(input, textarea)")?.value.trim() };
  view = { tab: "ask", ...Object.fromEntries(Object.entries(said).filter(([, text]) => text)) };
  write();
}

window.addEventListener("errata:clicks", ({ detail }) => { // answers so far, which the way back does not step through
  if (arriving) return;
  now = { ...now, clicks: detail };
  try { history.replaceState(null, "", search()); } catch { /* a frame that may not */ }
});

window.addEventListener("errata:as", ({ detail }) => { // images are what an address without it shows
  view = { ...view, as: detail === "table" ? detail : "" };
  write();
});

addEventListener("popstate", () => go(true));

document.body.classList.toggle("embedded", asked.get("embed") === "1");
document.body.classList.toggle("large", asked.get("size") === "large");
document.addEventListener("click", async ({ target }) => {
  const whole = target.closest?.(".whole-page");
  if (whole) {
    const at = new URL(location.href);
    at.searchParams.delete("embed");
    whole.href = at.href;
  }
  if (!target.closest?.(".copy-link")) return;
  const said = document.querySelector(".copied");
  try {
    await navigator.clipboard.writeText(location.href);
    const what = own.length && !String(now.run).startsWith("example-") ? "run" : now.beside ? "comparison" : "";
    said.textContent = what ? `Copied. Anyone with the link can read this ${what} until it is deleted.` : "Copied.";
  } catch {
    said.textContent = `Copy the page's address: ${location.href}`; // no permission, as in a frame
  }
  setTimeout(() => { said.textContent = ""; }, 8000);
}, true);
setTimeout(() => {
  go(false);
  const tab = chosen(); // one that was pressed before this ran
  if (tab && !opens && tab !== "explore" && tab !== view.tab) if (arriving) missed = tab; else turn(tab);
}, 0); // once every part of the page listens
