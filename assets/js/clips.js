// A clip plays while the pointer or the keyboard is on it, and stands still otherwise. Where motion is to be reduced it
// plays only when it is asked to (pane.js). Runs inside gr.HTML's js_on_load, once for the whole page.

const reduced = matchMedia("(prefers-reduced-motion: reduce)");

function turn(images, from, to) {
  for (const image of images) {
    const address = image.getAttribute("src") ?? "";
    if (address.includes(from)) image.src = address.replace(from, to);
  }
}
const play = (images) => reduced.matches || turn(images, "/frames?", "/clip?");
const stop = (images) => turn(images, "/clip?", "/frames?");

document.addEventListener("pointerover", ({ target }) => target.matches("button img, .clicks-big img") && play([target]));
document.addEventListener("pointerout", ({ target }) => target.matches("button img, .clicks-big img") && stop([target]));
document.addEventListener("focusin", ({ target }) => target.matches("button:focus-visible") && play(target.querySelectorAll("img")));
document.addEventListener("focusout", ({ target }) => target.matches("button") && stop(target.querySelectorAll("img")));
