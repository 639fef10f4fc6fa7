// The form of New run in the browser's storage, its files and its choices; runs inside gr.HTML's js_on_load (`props`,
// `trigger`, `watch`), and webapp/data/draft.py is the other half. It is restored when the form is first seen, as reading
// its table takes time.

const KEY = props.key_in_storage;
const kept = (key) => {
  try { return localStorage.getItem(key) ?? ""; } catch { return ""; } // No storage, as in a sandboxed frame.
};
watch("value", () => {
  try {
    if (props.value && props.value !== "null") localStorage.setItem(KEY, props.value); else localStorage.removeItem(KEY);
  } catch { /* as above */ }
});
const seen = new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  seen.disconnect();
  trigger("go", { files: kept(KEY), choices: kept("errata-choices") });
}, { rootMargin: "10000px" });
const begin = () => {
  const form = document.querySelector("#brought");
  if (form) seen.observe(form); else setTimeout(begin, 100);
};
if (KEY === "errata-files" && kept(KEY)) begin();
