// What lies over the failure map's points: numbers, the drawn outline, the ring. No state of its own: every function gets what it
// draws.

// Where a number goes: on the member nearest to the middle of its cluster.
function central(members) {
  const middle = [0, 1].map((k) => members.map((at) => at[k]).sort((p, q) => p - q)[members.length >> 1]); // medians: a stray member pulls nothing
  const far = ([x, y]) => (x - middle[0]) ** 2 + (y - middle[1]) ** 2;
  return members.reduce((best, at) => (far(at) < far(best) ? at : best));
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
