// Where too many points would lie on each other: squares with the mean of the coloured value, or the most frequent one, paler where fewer are.

const MAX_POINTS = 20000; // in sight; above it squares are shown
const CELL = 9; // pixels, at a zoom of 1, 2, 4, ...: in between they grow with the map and do not jump

function countInSight(points, v) {
  const [x0, x1, y0, y1] = [v.fromX(0), v.fromX(v.width), v.fromY(v.height), v.fromY(0)];
  let seen = 0;
  for (let i = 0; i < points.n; i++) if (points.x[i] >= x0 && points.x[i] <= x1 && points.y[i] >= y0 && points.y[i] <= y1) seen += 1;
  return seen;
}

// Counts and means of the squares in sight: {cols, rows, left, top, wide, high (of a square, in the map's units), count, byte}.
// `keep` 1 or 0 takes only the rows whose mask says so.
function cellsOf(points, colour, v, k, mask, keep) {
  const level = k / 2 ** Math.floor(Math.log2(k)); // from 1 to 2
  const [wide, high] = [(CELL * level) / v.kx, (CELL * level) / v.ky];
  const [left, top] = [Math.floor(v.fromX(0) / wide), Math.ceil(v.fromY(0) / high)];
  const [cols, rows] = [Math.ceil(v.fromX(v.width) / wide) - left, top - Math.floor(v.fromY(v.height) / high)];
  const kinds = colour.kind === "category" ? OTHER + 1 : 1;
  const [count, sum] = [new Uint32Array(cols * rows), new Float64Array(cols * rows * kinds)];
  const known = new Uint32Array(cols * rows);
  for (let i = 0; i < points.n; i++) {
    if (mask && mask[i] !== keep) continue;
    const [col, row] = [Math.floor(points.x[i] / wide) - left, top - 1 - Math.floor(points.y[i] / high)];
    if (col < 0 || row < 0 || col >= cols || row >= rows) continue;
    const [at, byte] = [row * cols + col, colour.bytes[i]];
    count[at] += 1;
    if (byte === MISSING) continue;
    known[at] += 1;
    if (kinds > 1) sum[at * kinds + byte] += 1; else sum[at] += byte;
  }
  const byte = Float32Array.from(known, (m, at) => {
    if (!m) return MISSING;
    if (kinds === 1) return sum[at] / m;
    let best = 0;
    for (let kind = 1; kind < kinds; kind++) if (sum[at * kinds + kind] > sum[at * kinds + best]) best = kind;
    return best;
  });
  return { cols, rows, left, top, wide, high, count, byte };
}

const rank = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.round(share * (sorted.length - 1)))];

// The ends of the colours in bytes, from the squares of the whole map, so that moving about does not change what a colour means.
function cellScale(cells, colour) {
  const means = [...cells.byte].filter((byte, at) => cells.count[at] && byte !== MISSING).sort((a, b) => a - b);
  if (!means.length) return { low: 0, high: STEPS };
  if (colour.kind === "diverging") {
    const far = rank(means.map((byte) => Math.abs(byte - ZERO)).sort((a, b) => a - b), 0.98) || 1;
    return { low: ZERO - far, high: ZERO + far };
  }
  const [low, high] = [rank(means, 0.02), rank(means, 0.98)];
  return high > low ? { low, high } : { low: 0, high: STEPS };
}

function paintCells(pen, cells, colour, palette, scale, v, alpha) {
  const counts = cells.count.filter((c) => c).sort();
  if (!counts.length) return;
  const full = Math.log1p(rank(counts, 0.9));
  const image = new ImageData(cells.cols, cells.rows);
  cells.count.forEach((c, at) => {
    if (!c) return;
    const byte = cells.byte[at];
    const shown = colour.kind === "category" || byte === MISSING ? byte : Math.max(0, Math.min(STEPS, ((byte - scale.low) / (scale.high - scale.low)) * STEPS));
    image.data.set([...palette[Math.round(shown)], 255 * alpha * Math.min(1, 0.3 + (0.7 * Math.log1p(c)) / full)], 4 * at);
  });
  const small = Object.assign(document.createElement("canvas"), { width: cells.cols, height: cells.rows });
  small.getContext("2d").putImageData(image, 0, 0);
  const [x, y] = [v.toX(cells.left * cells.wide), v.toY(cells.top * cells.high)];
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, x * v.ratio, y * v.ratio, cells.cols * cells.wide * v.kx * v.ratio, cells.rows * cells.high * v.ky * v.ratio);
}
