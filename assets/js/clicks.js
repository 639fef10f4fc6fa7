// Images to be answered with yes, no or skip. The answers stand in the page's address; the server has them with the judgment.
// Runs inside gr.HTML's js_on_load beside pane.js (`element`, `trigger`, `watch`). Nothing in the markup tells which is of the group.

const find = (selector) => element.querySelector(selector);
const thumbs = () => [...element.querySelectorAll(".clicks .clicks-thumb")];
const NAMES = { y: "yes", n: "no", s: "skipped" };
let answers = []; // "y", "n", "s" or "" for each picture
let history = []; // [place, answer before]
let at = 0;
let judged = false; // the judgment was asked for

const open = () => find(".clicks-stage") && element.offsetParent !== null;

function begin() {
  const given = find(".clicks")?.dataset.answers ?? "";
  answers = [...given].map((letter) => letter === "-" ? "" : letter);
  history = [];
  at = Math.max(0, answers.indexOf(""));
  if (judged) find(".judged h3")?.focus();
  judged = false;
  if (!answers.length) return;
  show();
  find(".clicks-stage").focus({ preventScroll: true });
  find(".clicks").scrollIntoView({ block: "nearest" });
}

function show() {
  const all = thumbs();
  const done = answers.filter(Boolean).length;
  all.forEach((thumb, i) => {
    thumb.dataset.answer = answers[i];
    thumb.setAttribute("aria-current", String(i === at));
    thumb.setAttribute("aria-label", `Sample ${i + 1}${answers[i] ? ", " + NAMES[answers[i]] : ""}`);
  });
  const now = all[at];
  find(".clicks-big").replaceChildren(now.firstElementChild.cloneNode(true));
  find(".clicks-count").textContent = `Sample ${at + 1}, ${done} of ${all.length} answered`;
  find(".clicks-bar i").style.width = `${(100 * done) / all.length}%`;
  find("[data-undo]").disabled = !history.length;
  const finish = find("[data-finish]");
  finish.textContent = done === all.length ? "See the judgment" : "See the judgment; skip the others";
  finish.classList.toggle("ready", done === all.length);
  finish.disabled = !done;
}
const letters = (unanswered) => answers.map((given) => given || unanswered).join("");
const keep = () => dispatchEvent(new CustomEvent("errata:clicks", { detail: find(".clicks").dataset.strip + letters("-") }));

function answer(letter) {
  history.push([at, answers[at]]);
  answers[at] = letter;
  const next = answers.findIndex((a, i) => !a && i > at);
  const left = next < 0 ? answers.indexOf("") : next;
  if (left >= 0) at = left;
  show();
  keep();
  if (left < 0) find("[data-finish]").focus();
}

function undo() {
  const last = history.pop();
  if (!last) return;
  [at] = last;
  answers[at] = last[1];
  show();
  keep();
  find(".clicks-stage").focus({ preventScroll: true });
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.say) answer(button.dataset.say);
  else if (button.hasAttribute("data-undo")) undo();
  else if (button.matches(".clicks .clicks-thumb")) { at = thumbs().indexOf(button); show(); }
  else if (button.hasAttribute("data-finish")) {
    judged = true;
    trigger("act", { do: "judge", answers: letters("s") });
  }
});
element.addEventListener("change", (event) => {
  if (event.target.matches("[data-claim]")) trigger("act", { do: "clicks", claim: event.target.value });
});

document.addEventListener("keydown", (event) => {
  if (!open() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const key = event.key.toLowerCase();
  if (key === "y" || key === "n" || key === "s") answer(key);
  else if (key === "u" || key === "backspace") undo();
  else return;
  event.preventDefault();
});

watch("value", begin);
