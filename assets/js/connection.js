// Says that the server has stopped or was started anew, that work did not finish since its page was left, and what the
// page was reloaded for; runs inside gr.HTML's js_on_load (`element`).

const EVERY_MS = 5000;
const address = `${window.gradio_config?.root ?? ""}/gradio_api/app_id`;
const LOST = "The server does not answer. If it was stopped, unfinished work is lost.";
const KEPT = element.querySelector("p").dataset.kept;
const ANEW = KEPT
  ? "The server restarted. Your finished runs are still here; your chosen files are not."
  : "The server restarted without your data. Add your files again.";
const RELOAD = `The server restarted. Reload the page to ${KEPT ? "see your finished runs" : "add your files again"}.`;
const OUT = "You are signed out. Reload the page and sign in.";
const AGAIN = "Your work in progress did not finish. Start it again.";
const LEFT = "Work in progress stopped when you left or reloaded this page. Start it again.";
const CUT = "<h3>Did not finish</h3><p>The server stopped answering meanwhile.</p>";
const UNSEEN = "<h3>Connection lost</h3><p>Reload the page to see whether the run goes on.</p>";
let missed = 0, after = "", lost = false;

const say = (text) => {
  const line = element.querySelector("p");
  if (line.textContent !== text) line.textContent = text;
  line.hidden = !text;
};
const kept = (key, value) => {  // what the tab remembers over a reload
  try {
    const before = sessionStorage.getItem(key);
    if (value) sessionStorage.setItem(key, value); else sessionStorage.removeItem(key);
    return before ?? "";
  } catch {
    return "";  // No storage, as in a sandboxed frame.
  }
};
const meet = (server, said) => {
  const before = kept("errata-server", String(server));
  const anew = before && before !== String(server);
  if (anew) after = said;
  return anew;
};
const working = () => document.querySelector("[data-busy]");
const cut = (anew) => {  // no answer will come any more that ends what these say
  for (const status of document.querySelectorAll(anew ? "[data-busy], [data-lasting]" : "[data-busy]")) {
    const unsure = status.hasAttribute("data-lasting") && !anew;  // it may go on without the page
    lost ||= !unsure;
    status.innerHTML = unsure ? UNSEEN : CUT;
    status.classList.add("quiet");
    status.removeAttribute("data-busy");
    status.toggleAttribute("data-lasting", unsure);
  }
};
const look = async () => {
  try {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(4 * EVERY_MS) });
    if (answer.status >= 500) throw new Error(answer.status);  // what a proxy says for it
    missed = 0;
    if (answer.ok && meet((await answer.json()).app_id, RELOAD)) {
      cut(true);
      if (lost) after = `${after} ${AGAIN}`;
    }
    if (working()) {  // something else was begun
      lost = false;
      if (after === LEFT) after = "";
    }
    say(answer.status === 401 ? OUT : after);
  } catch {
    missed += 1;
    if (missed > 1) {
      say(LOST);
      cut(false);
    }
  }
  setTimeout(look, EVERY_MS);
};
const SAID = after = kept("errata-said", "");
const anew = window.gradio_config?.app_id && meet(window.gradio_config.app_id, ANEW);
const left = kept("errata-working", "");
if ((left === "yes" || (left === "unsure" && anew)) && !SAID) after = after ? `${after} ${AGAIN}` : LEFT;
const stops = () => document.querySelector("[data-busy]:not([data-lasting])");
const unsure = () => missed > 1 && document.querySelector("[data-lasting]");  // Gradio reloads a page whose server is new
addEventListener("pagehide", () => kept("errata-working", stops() || lost ? "yes" : unsure() ? "unsure" : ""));
say(after);
setTimeout(look, EVERY_MS);
