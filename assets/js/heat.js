// The heat map of phrases and classes: one cell at a time can be reached with the keyboard, and what it says stands below the table.
// Runs inside gr.HTML's js_on_load (`element`).

const live = () => element.querySelector(".heat-live");
const tell = (cell) => { if (cell && live()) live().textContent = cell.dataset.said; };
const cellOf = (event) => event.target.closest("td[data-said]");

element.addEventListener("pointerover", (event) => tell(cellOf(event)));
element.addEventListener("focusin", (event) => {
  const cell = cellOf(event);
  if (!cell) return;
  for (const other of element.querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
  cell.tabIndex = 0;
  tell(cell);
});
element.addEventListener("keydown", (event) => {
  const cell = cellOf(event);
  const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
  if (!cell || !by) return;
  const rows = cell.closest("tbody").rows;
  const row = rows[cell.parentElement.rowIndex - 1 + by[0]]; // the head is row 0
  const next = row && row.cells[cell.cellIndex + by[1]];
  if (next && next.dataset.said) next.focus();
  event.preventDefault();
});

const enter = () => { const first = element.querySelector("td[data-said]"); if (first) first.tabIndex = 0; };
watch("value", enter);
enter();
