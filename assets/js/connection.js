// Says that the server has stopped or was started anew, and what the page was reloaded for; runs inside gr.HTML's
// js_on_load (`element`).

const EVERY_MS = 5000;
const address = `${window.gradio_config?.root ?? ""}/gradio_api/app_id`;
const LOST = "The server does not answer. If it was stopped, what it was doing for you is lost.";
const KEPT = element.querySelector("p").dataset.kept;
const ANEW = KEPT
  ? "The server was started anew. Your finished runs are there; files that you had chosen, and what it was doing, are gone."
  : "The server was started anew, and what it held for you is gone. Bring your files again.";
const RELOAD = KEPT ? "The server was started anew. Reload the page: your finished runs are there." : ANEW;
const OUT = "You are signed out. Reload the page and sign in.";
let missed = 0, after = "";

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
  if (before && before !== String(server)) after = said;
};
const look = async () => {
  try {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(4 * EVERY_MS) });
    if (answer.status >= 500) throw new Error(answer.status);  // what a proxy says for it
    missed = 0;
    if (answer.ok) meet((await answer.json()).app_id, RELOAD);
    say(answer.status === 401 ? OUT : after);
  } catch {
    missed += 1;
    if (missed > 1) say(LOST);
  }
  setTimeout(look, EVERY_MS);
};
after = kept("errata-said", "");
if (window.gradio_config?.app_id) meet(window.gradio_config.app_id, ANEW);
say(after);
setTimeout(look, EVERY_MS);
