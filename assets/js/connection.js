// Says that the server has stopped or was started anew; runs inside gr.HTML's js_on_load (`element`).

const EVERY_MS = 5000;
const address = `${window.gradio_config?.root ?? ""}/gradio_api/app_id`;
const LOST = "The server does not answer. If it was stopped, what it was doing for you is lost.";
const ANEW = "The server was started anew, and what it held for you is gone. Reload the page.";
let known = window.gradio_config?.app_id, missed = 0;

const say = (text) => {
  const line = element.querySelector("p");
  if (line.textContent !== text) line.textContent = text;
  line.hidden = !text;
};
const look = async () => {
  try {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(4 * EVERY_MS) });
    if (answer.status >= 500) throw new Error(answer.status);  // what a proxy says for it
    missed = 0;
    const { app_id } = answer.ok ? await answer.json() : { app_id: known };
    known ??= app_id;
    say(app_id === known ? "" : ANEW);
  } catch {
    missed += 1;
    if (missed > 1) say(LOST);
  }
  setTimeout(look, EVERY_MS);
};
setTimeout(look, EVERY_MS);
