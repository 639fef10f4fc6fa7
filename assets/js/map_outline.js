// The outlines of clusters, in the map's own units: the same at every size of the screen, and made once for a map.

const GRID = 160, HALF = 1.25; // squares a side, over this many half widths of the map
const REACH = 0.1; // of the half width: within it neighbours count
const SPREAD = 0.026; // of a member's blob, as a standard deviation
const LEVEL = 0.3; // of a lone blob's height: the outline stands about one and a half deviations from the outermost members

// A (GRID, GRID) array blurred with a normal kernel of that deviation in squares, whose peak is 1.
function blurred(values, deviation) {
  const reach = Math.ceil(3 * deviation);
  const kernel = Float32Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)));
  const along = (from, step, other) => {
    const to = new Float32Array(GRID * GRID);
    for (let line = 0; line < GRID; line++) {
      for (let at = 0; at < GRID; at++) {
        const value = from[line * other + at * step];
        if (!value) continue;
        for (let k = Math.max(-reach, -at); k <= Math.min(reach, GRID - 1 - at); k++) to[line * other + (at + k) * step] += value * kernel[k + reach];
      }
    }
    return to;
  };
  return along(along(values, 1, GRID), GRID, 1);
}

// Closed lines along which the field has that level: marching squares, [[x, y], ...] each, in squares.
function contours(field, level) {
  const next = new Map();
  const at = (x, y) => field[y * GRID + x] - level;
  for (let y = 0; y < GRID - 1; y++) {
    for (let x = 0; x < GRID - 1; x++) {
      const i = y * GRID + x, above = (field[i] > level) + (field[i + 1] > level) + (field[i + GRID] > level) + (field[i + GRID + 1] > level);
      if (above % 4 === 0) continue; // nearly all: the line does not pass here
      const corner = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
      const inside = corner.map((value) => value > 0);
      const cuts = [];
      for (let side = 0; side < 4; side++) {
        const [a, b] = [side, (side + 1) % 4];
        if (inside[a] === inside[b]) continue;
        const t = corner[a] / (corner[a] - corner[b]);
        const [ax, ay, bx, by] = [x + (a === 1 || a === 2), y + (a >= 2), x + (b === 1 || b === 2), y + (b >= 2)];
        const named = ax === bx ? `v${ax},${Math.min(ay, by)}` : `h${Math.min(ax, bx)},${ay}`;
        cuts.push({ named, place: [ax + t * (bx - ax), ay + t * (by - ay)], leaves: inside[a] });
      }
      cuts.forEach((cut, at) => {
        if (cut.leaves) next.set(cut.named, { place: cut.place, to: cuts.at(at - 1).named });
      });
    }
  }
  const lines = [];
  while (next.size) {
    const line = [];
    for (let [edge, part] = next.entries().next().value; part; edge = part.to, part = next.get(edge)) {
      line.push(part.place);
      next.delete(edge);
    }
    if (line.length > 3) lines.push(line);
  }
  return lines;
}

// {lines: [[[x, y], ...], ...], middle: [x, y]} of a cluster, in the map's units; null for one without members.
function outlineOf(points, id) {
  const unit = Math.max(points.halfX, points.halfY);
  const square = (2 * HALF) / GRID;
  const place = (value, mid) => Math.max(0, Math.min(GRID - 1, Math.round(((value - mid) / unit + HALF) / square)));
  const members = [];
  const counts = new Float32Array(GRID * GRID);
  for (let i = 0; i < points.n; i++) if (points.cluster[i] === id) {
    const at = place(points.y[i], points.midY) * GRID + place(points.x[i], points.midX);
    members.push([points.x[i], points.y[i], at]);
    counts[at] += 1;
  }
  if (!members.length) return null;
  // A lone member far off would only clutter the map; at least half of them lie within an outline, however scattered they are.
  const near = blurred(counts, REACH / 2 / square);
  const ranked = members.map(([, , at]) => near[at]).sort((a, b) => a - b);
  const least = Math.min(Math.max(3, members.length / 25), ranked[ranked.length >> 1]);
  const core = members.filter(([, , at]) => near[at] >= least);
  const blobs = new Float32Array(GRID * GRID);
  for (const [, , at] of core) blobs[at] = 1;
  const back = ([x, y]) => [(x * square - HALF) * unit + points.midX, (y * square - HALF) * unit + points.midY];
  const lines = contours(blurred(blobs, SPREAD / square), LEVEL).map((line) => line.map(back));
  return { lines, middle: central(core).slice(0, 2) };
}

function paintOutline(pen, lines, v, colour, strong) {
  pen.beginPath();
  for (const line of lines) {
    line.forEach(([x, y], i) => (i ? pen.lineTo(v.toX(x) * v.ratio, v.toY(y) * v.ratio) : pen.moveTo(v.toX(x) * v.ratio, v.toY(y) * v.ratio)));
    pen.closePath();
  }
  pen.lineWidth = (strong ? 2.4 : 1.5) * v.ratio;
  pen.lineJoin = "round";
  pen.globalAlpha = strong ? 1 : 0.85;
  pen.strokeStyle = colour;
  pen.stroke();
  pen.globalAlpha = 1;
}
