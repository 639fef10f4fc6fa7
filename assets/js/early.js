// Runs before Gradio's own scripts. Gradio's counters of seconds ask for a frame sixty times a second, and that of the
// page's first "Loading..." is never stopped (6.31): an open page would draw frames for nobody as long as it is open.
// They take hold of requestAnimationFrame once, when their script is read; what they are given there is as quick as what
// they show, tenths of a second, and draws nothing. Everybody else gets the browser's own.
{
  const name = "requestAnimationFrame", own = Object.getOwnPropertyDescriptor(window, name);
  const slow = (then) => setTimeout(() => then(performance.now()), 100);
  if (own?.configurable && own.value) Object.defineProperty(window, name, {
    configurable: true,
    get() {
      if (!new Error().stack.includes("/statustracker")) return own.value;
      Object.defineProperty(window, name, own);
      return slow;
    },
    set(value) { Object.defineProperty(window, name, { ...own, value }); },
  });
}
// Gradio ends its streams when a page is left, and logs that as errors (6.31): nothing is wrong, and nobody reads them.
addEventListener("beforeunload", () => {
  const own = console.error;
  console.error = () => {};
  setTimeout(() => { console.error = own; }, 1000); // a page that stays, as where the browser saves a file
});
