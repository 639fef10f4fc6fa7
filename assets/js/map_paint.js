// Painting the failure map. No state of its own: every function gets what it draws. Plain canvas 2D, so that it starts at once
// everywhere; each colour's dot is drawn once and then stamped, which keeps 20,000 points within a frame or two.

// Cividis at 9 stops (Nunez et al. 2018, CC0); linear in between. Dark blue is a low loss, yellow a high one.
const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#fee838"];
const HUES = ["#d55e00", "#0a9a76", "#c764a0", "#2f8fd0", "#c98a00", "#7a6ff0", "#b5443c", "#5d8a1d"]; // in step with figures.py
const BINS = 48;

const hueOf = (cluster) => HUES[cluster % HUES.length];

function rampColour(t, dark) {
  // On a dark plate the lowest stops would vanish, so the ramp starts a little higher there.
  const at = (dark ? 0.09 + 0.91 * t : t) * (CIVIDIS.length - 1);
  const i = Math.min(Math.floor(at), CIVIDIS.length - 2);
  const part = (hex, k) => parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16);
  const mix = [0, 1, 2].map((k) => Math.round(part(CIVIDIS[i], k) + (at - i) * (part(CIVIDIS[i + 1], k) - part(CIVIDIS[i], k))));
  return `rgb(${mix.join(",")})`;
}

function makeStamps(radius, dark, ratio) {
  const stamps = [];
  const size = Math.ceil((radius + 1) * 2 * ratio);
  for (let bin = 0; bin < BINS; bin++) {
    const stamp = document.createElement("canvas");
    stamp.width = stamp.height = size;
    const pen = stamp.getContext("2d");
    pen.beginPath();
    pen.arc(size / 2, size / 2, radius * ratio, 0, 2 * Math.PI);
    pen.fillStyle = rampColour(bin / (BINS - 1), dark);
    pen.fill();
    if (radius > 2.2) { // a rim would be most of a smaller dot
      pen.lineWidth = 0.75 * ratio;
      pen.strokeStyle = dark ? "rgba(255,255,255,.28)" : "rgba(255,255,255,.75)";
      pen.stroke();
    }
    stamps.push(stamp);
  }
  return stamps;
}

function stampPoints(pen, points, view, stamps, ratio, keep) {
  // points.order runs from the lowest loss to the highest, so that the worst lie on top.
  const half = stamps[0].width / 2;
  const [w, h] = [view.width * ratio, view.height * ratio];
  for (const i of points.order) {
    if (keep && !keep(i)) continue;
    const x = view.toX(points.x[i]) * ratio;
    const y = view.toY(points.y[i]) * ratio;
    if (x < -half || y < -half || x > w + half || y > h + half) continue;
    pen.drawImage(stamps[points.bin[i]], Math.round(x - half), Math.round(y - half));
  }
}

function paintPoints(canvas, points, view, mask, dark) {
  const ratio = view.ratio;
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  const stamps = makeStamps(view.radius, dark, ratio);
  if (!mask) return stampPoints(pen, points, view, stamps, ratio, null);
  pen.globalAlpha = 0.14;
  stampPoints(pen, points, view, stamps, ratio, (i) => !mask[i]);
  pen.globalAlpha = 1;
  stampPoints(pen, points, view, makeStamps(view.radius * 1.15 + 0.5, dark, ratio), ratio, (i) => mask[i]);
}

// The outline of a cluster is the rim of discs round its members: draw the discs, then wipe slightly smaller ones out.
function paintOutline(canvas, scratch, members, view, colour, strong) {
  const ratio = view.ratio;
  const reach = (view.radius + 10) * ratio;
  const rim = (strong ? 2.4 : 1.5) * ratio;
  scratch.width = canvas.width;
  scratch.height = canvas.height;
  const pen = scratch.getContext("2d");
  const discs = (radius) => {
    pen.beginPath();
    for (const [x, y] of members) {
      pen.moveTo(x * ratio + radius, y * ratio);
      pen.arc(x * ratio, y * ratio, radius, 0, 2 * Math.PI);
    }
    pen.fill();
  };
  pen.fillStyle = colour;
  discs(reach + rim);
  pen.globalCompositeOperation = "destination-out";
  discs(reach);
  const over = canvas.getContext("2d");
  over.globalAlpha = strong ? 1 : 0.85;
  over.drawImage(scratch, 0, 0);
  over.globalAlpha = 1;
}

// The members that have at least `least` fellow members within `reach` pixels: an outline round every lone one would only clutter.
function crowded(members, reach, least) {
  const cells = new Map();
  const key = (cx, cy) => cx * 100003 + cy;
  for (const at of members) {
    const cell = key(Math.floor(at[0] / reach), Math.floor(at[1] / reach));
    if (!cells.has(cell)) cells.set(cell, []);
    cells.get(cell).push(at);
  }
  return members.filter(([x, y]) => {
    let near = -1; // not counting itself
    const [cx, cy] = [Math.floor(x / reach), Math.floor(y / reach)];
    for (let i = -1; i <= 1; i++) {
      for (let j = -1; j <= 1; j++) {
        for (const [ox, oy] of cells.get(key(cx + i, cy + j)) || []) {
          near += (ox - x) ** 2 + (oy - y) ** 2 <= reach * reach;
          if (near >= least) return true;
        }
      }
    }
    return false;
  });
}

// Where a number goes: on the member nearest to the middle of its cluster, of those that stay clear of the numbers already placed.
function central(members, placed, clear) {
  const middle = [0, 1].map((k) => members.map((at) => at[k]).sort((p, q) => p - q)[members.length >> 1]); // medians: a stray member pulls nothing
  const far = ([x, y]) => (x - middle[0]) ** 2 + (y - middle[1]) ** 2;
  const free = members.filter(([x, y]) => placed.every(([px, py]) => Math.hypot(x - px, y - py) >= clear));
  return (free.length ? free : members).reduce((best, at) => (far(at) < far(best) ? at : best));
}

// Badges that would still cover each other are pushed apart, each by half, a little at a time.
function spread(places, least) {
  const moved = places.map(([x, y]) => [x, y]);
  for (let round = 0; round < 40; round++) {
    let calm = true;
    for (let i = 0; i < moved.length; i++) {
      for (let j = i + 1; j < moved.length; j++) {
        let [dx, dy] = [moved[j][0] - moved[i][0], moved[j][1] - moved[i][1]];
        let gap = Math.hypot(dx, dy);
        if (gap >= least) continue;
        if (gap < 0.01) [dx, dy, gap] = [Math.cos(i + j), Math.sin(i + j), 1]; // one on top of the other
        const by = (least - Math.min(gap, least) + 0.5) / 2 / gap;
        moved[i] = [moved[i][0] - dx * by, moved[i][1] - dy * by];
        moved[j] = [moved[j][0] + dx * by, moved[j][1] + dy * by];
        calm = false;
      }
    }
    if (calm) break;
  }
  return moved;
}

// A number like a pin: its point is on the member `tip`, which stays in sight.
function paintBadge(pen, ratio, [x, y], text, colour, tip) {
  const [cx, cy, r] = [x * ratio, y * ratio, 11 * ratio];
  for (const [width, stroke] of [[5, "#fff"], [2.5, colour]]) {
    pen.beginPath();
    pen.moveTo(cx, cy);
    pen.lineTo(tip[0] * ratio, tip[1] * ratio);
    pen.lineWidth = width * ratio;
    pen.lineCap = "round";
    pen.strokeStyle = stroke;
    pen.stroke();
  }
  pen.beginPath();
  pen.arc(cx, cy, r, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
  pen.lineWidth = 2 * ratio;
  pen.strokeStyle = "#fff";
  pen.stroke();
  pen.fillStyle = "#fff";
  pen.font = `600 ${12 * ratio}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, cx, cy + 0.5 * ratio);
}

function paintPath(pen, ratio, path, colour) {
  if (path.length < 2) return;
  pen.beginPath();
  path.forEach(([x, y], i) => (i ? pen.lineTo(x * ratio, y * ratio) : pen.moveTo(x * ratio, y * ratio)));
  pen.closePath();
  pen.fillStyle = colour + "22";
  pen.fill();
  pen.lineWidth = 1.75 * ratio;
  pen.setLineDash([6 * ratio, 4 * ratio]);
  pen.strokeStyle = colour;
  pen.stroke();
  pen.setLineDash([]);
}

function paintRing(pen, ratio, x, y, radius, colour) {
  pen.beginPath();
  pen.arc(x * ratio, y * ratio, (radius + 4) * ratio, 0, 2 * Math.PI);
  pen.lineWidth = 2 * ratio;
  pen.strokeStyle = colour;
  pen.stroke();
}

function paintRamp(canvas, dark) {
  const pen = canvas.getContext("2d");
  for (let x = 0; x < canvas.width; x++) {
    pen.fillStyle = rampColour(x / (canvas.width - 1), dark);
    pen.fillRect(x, 0, 1, 1);
  }
}
