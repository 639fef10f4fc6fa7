// A folder, or loose images, that are dropped on the form or chosen with the button beside it: sent as one zip with its
// paths, and its tables beside it, through Gradio's own field, which would lose the paths. Runs inside gr.HTML's
// js_on_load (`element`).

const ALONE = /\.(csv|tsv|jsonl|ndjson|json|parquet|npy|npz|safetensors|zip|tar|tgz|gz)$/i;
const IMAGE = /\.(jpe?g|png|webp|bmp|gif|tiff?)$/i;
const MOST = 65_535;
const said = element.querySelector(".folder-said");
const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
const crcOf = (bytes) => {
  let crc = -1;
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
};
const record = (size, shorts, longs) => {
  const view = new DataView(new ArrayBuffer(size));
  for (const [at, value] of shorts) view.setUint16(at, value, true);
  for (const [at, value] of longs) view.setUint32(at, value, true);
  return new Uint8Array(view.buffer);
};

// Stored, not compressed: photographs would not shrink.
async function zip(files) {
  const parts = [], entries = [];
  let at = 0;
  for (const [path, file] of files) {
    const name = new TextEncoder().encode(path), crc = crcOf(new Uint8Array(await file.arrayBuffer()));
    const head = record(26, [[0, 20], [2, 0x800], [8, 33], [22, name.length]], [[10, crc], [14, file.size], [18, file.size]]);
    parts.push(record(4, [], [[0, 0x04034b50]]), head, name, file);
    entries.push(record(6, [[4, 20]], [[0, 0x02014b50]]), head, record(14, [], [[10, at]]), name);
    at += 30 + name.length + file.size;
  }
  const size = entries.reduce((sum, part) => sum + part.length, 0);
  const end = record(22, [[8, files.length], [10, files.length]], [[0, 0x06054b50], [12, size], [16, at]]);
  return new Blob([...parts, ...entries, end]);
}

async function send(files) {
  const alone = files.filter(([path]) => ALONE.test(path)), images = files.filter(([path]) => IMAGE.test(path));
  const size = images.reduce((sum, [, file]) => sum + file.size, 0);
  if (!alone.length && !images.length) { said.textContent = "This folder has no table and no images. Drop another."; return; }
  if (images.length > MOST || size > 2 ** 32 - 2 ** 24) {
    said.textContent = `A folder can hold ${MOST} images and 4 GB here: this one has ${images.length} and ${(size / 2 ** 30).toFixed(1)} GB. Zip it yourself and drop the zip.`;
    return;
  }
  said.textContent = images.length ? `Packing ${images.length} images …` : "";
  const all = new DataTransfer();
  for (const [, file] of alone) all.items.add(file);
  const folder = images[0]?.[0].includes("/") ? images[0][0].split("/")[0] : "images";
  if (images.length) all.items.add(new File([await zip(images)], `${folder}.zip`, { type: "application/zip" }));
  const field = document.querySelector("#brought input[type=file]");
  field.files = all.files;
  said.textContent = "";
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

async function inside(entry, path = "") {
  if (entry.isFile) return [[path + entry.name, await new Promise((done, failed) => entry.file(done, failed))]];
  const reader = entry.createReader(), found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    for (const one of some) found.push(...await inside(one, `${path}${entry.name}/`));
  }
}

// What is on its way, and a press of Run before it is here.
let arriving = "";
const moving = () => document.querySelector(".bring .uploading");
function arrive(files) {
  arriving = `Arriving: ${[...files].map((file) => file.name).join(", ")}`;
  said.textContent = arriving;
  const wait = setInterval(() => {
    if (moving()) return;
    clearInterval(wait);
    if (said.textContent.startsWith(arriving)) said.textContent = "";
  }, 200);
}
document.addEventListener("change", ({ target }) => target.matches(".bring input[type=file]") && target.files.length && !element.contains(target) && arrive(target.files), true);
document.addEventListener("click", (event) => {
  if (!event.target.closest("#run") || !moving()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  said.textContent = `${arriving}. Press Run once they are here.`;
}, true);

const box = element.querySelector("input");
box.addEventListener("change", () => {
  send([...box.files].map((file) => [file.webkitRelativePath || file.name, file]));
  box.value = "";
});
element.querySelector("button").addEventListener("click", () => box.click());
window.addEventListener("drop", async (event) => {
  if (!event.target.closest?.("#brought")) return;
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory || IMAGE.test(entry.name))) { arrive(event.dataTransfer.files); return; } // Gradio's own
  event.preventDefault();
  event.stopImmediatePropagation();
  send((await Promise.all(entries.map((entry) => inside(entry)))).flat());
}, true);
