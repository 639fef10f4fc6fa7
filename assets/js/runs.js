// The list of own runs: a name is edited and a deletion confirmed in its row, then one "act" event tells the server.
// Runs inside gr.HTML's js_on_load (`element`, `trigger`, `watch`); webapp/data/runs.py is the other half.

const made = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text, ...more });
const act = (row, what) => trigger("act", { run: row.dataset.run, ...what });
let focused = ""; // the run whose row has the keyboard, over a drawing of the list anew

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = button?.closest("[data-run]");
  if (!row) return;
  focused = row.dataset.run;
  if (button.dataset.do) act(row, { do: button.dataset.do });
  else if (button.dataset.edit) rename(row, Number(button.dataset.edit), button);
  else if (button.hasAttribute("data-ask")) confirmed(row, button);
});

// What stands in the row's place for its buttons comes back as it was, with the keyboard on the one that was pressed.
function instead(row, part, pressed) {
  const buttons = row.querySelector(".run-do");
  const held = [...buttons.children];
  const back = () => { buttons.replaceChildren(...held); pressed.focus(); };
  buttons.replaceChildren(...part(back));
  row.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !held[0].isConnected) { event.stopPropagation(); back(); }
  });
}

function rename(row, most, pressed) {
  instead(row, (back) => {
    const field = made("input", "", { type: "text", value: row.dataset.title, maxLength: most, ariaLabel: "New name" });
    const save = made("button", "Save", { type: "button", className: "plain" });
    const stop = made("button", "Cancel", { type: "button", className: "plain" });
    const done = () => { const title = field.value.trim(); if (title && title !== row.dataset.title) act(row, { do: "rename", title }); else back(); };
    save.addEventListener("click", done);
    stop.addEventListener("click", back);
    field.addEventListener("keydown", (event) => event.key === "Enter" && done());
    setTimeout(() => { field.focus(); field.select(); }, 0);
    return [field, save, stop];
  }, pressed);
}

function confirmed(row, pressed) {
  instead(row, (back) => {
    const yes = made("button", "Delete", { type: "button", className: "plain danger" });
    const no = made("button", "Keep", { type: "button", className: "plain" });
    yes.addEventListener("click", () => act(row, { do: "delete" }));
    no.addEventListener("click", back);
    setTimeout(() => no.focus(), 0);
    return [made("span", "Delete it and its links?"), yes, no];
  }, pressed);
}

// The server writes UTC, and writes a row anew whenever it says something else.
function local() {
  for (const time of element.querySelectorAll("time")) {
    const text = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    if (time.textContent !== text) time.textContent = text;
  }
}
new MutationObserver(local).observe(element, { childList: true, characterData: true, subtree: true });

function drawn() {
  local();
  const before = focused;
  focused = "";
  if (before && document.activeElement === document.body) {
    const row = element.querySelector(`[data-run="${CSS.escape(before)}"]`) ?? element.querySelector("[data-run]");
    row?.querySelector("button")?.focus({ preventScroll: true });
  }
}
watch("value", () => setTimeout(drawn, 0));

// Kept runs may be the work of months: "Delete my data now" takes them only after a question.
window.addEventListener("click", (event) => {
  const n = element.querySelectorAll("[data-stays] [data-run]").length, said = element.querySelector("[data-said]");
  if (!event.target.closest?.("#forget") || (!n && !said)) return;
  const kept = [n && (n === 1 ? "your run" : `all ${n} runs`), said && "your notes on opened runs"].filter(Boolean).join(" and ");
  if (confirm(`Delete ${kept} on this machine, and your uploaded files?`)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
