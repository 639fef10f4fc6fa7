// Points on a canvas: one adapter, by WebGL or, where there is none, by hand into an image. Both draw the same stamps.
//   load({n, x, y, midX, midY}, bytes, palette, signs, order, split)   rows in drawing order, those from `split` on are selected
//   draw(view, radius, dark, ground)   `ground` [r, g, b] of the plate, which WebGL leaves clear
// Why no library: docs/decisions/map.md.

// All signs in one row at a radius in pixels: alpha covers, green is the share of the rim.
function makeAtlas(radius, ratio) {
  const size = Math.ceil((radius + 1) * 2 * ratio);
  const atlas = Object.assign(document.createElement("canvas"), { width: size * SIGNS, height: size });
  const pen = atlas.getContext("2d");
  for (let sign = 0; sign < SIGNS; sign++) {
    signPath(pen, sign, size * (sign + 0.5), size / 2, radius * ratio);
    pen.fillStyle = "#f00";
    pen.fill();
    if (radius <= 2.2 || sign === DOT) continue; // a rim would be most of a smaller dot
    pen.lineWidth = 0.75 * ratio;
    pen.strokeStyle = "#0f0";
    pen.stroke();
  }
  return { atlas, size };
}

// What is drawn in turn: those not selected, faint beside a selection, then the selected ones, a little larger.
const passesOf = (n, split, radius) => [
  { from: 0, to: split, radius, alpha: split < n ? 0.14 : 1 },
  { from: split, to: n, radius: radius * 1.15 + 0.5, alpha: 1 },
].filter((pass) => pass.to > pass.from);
const rimOf = (dark) => (dark ? 0.28 : 0.75); // how far the rim goes to white

const VERTEX = `attribute vec2 at; attribute vec4 tint; uniform vec4 view; uniform float size; varying vec4 look;
void main() { gl_Position = vec4(at * view.xy + view.zw, 0.0, 1.0); gl_PointSize = size; look = vec4(tint.rgb, tint.a * 255.0); }`;
const FRAGMENT = `precision mediump float; varying vec4 look; uniform sampler2D stamps; uniform float rim; uniform float alpha;
void main() {
  vec4 stamp = texture2D(stamps, vec2((floor(look.a + 0.5) + gl_PointCoord.x) / ${SIGNS}.0, gl_PointCoord.y));
  if (stamp.a < 0.01) discard;
  gl_FragColor = vec4(mix(look.rgb, vec3(1.0), stamp.g * rim), 1.0) * stamp.a * alpha;
}`;

function glLayer(canvas, onLost) {
  const gl = canvas.getContext("webgl", { antialias: false });
  if (!gl) return null;
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  for (const [name, value] of [["MIN_FILTER", "LINEAR"], ["MAG_FILTER", "LINEAR"], ["WRAP_S", "CLAMP_TO_EDGE"], ["WRAP_T", "CLAMP_TO_EDGE"]]) gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], gl[value]);
  const [places, tints] = [gl.createBuffer(), gl.createBuffer()];
  const uniform = Object.fromEntries(["view", "size", "rim", "alpha"].map((name) => [name, gl.getUniformLocation(program, name)]));
  canvas.addEventListener("webglcontextlost", onLost);
  let [n, split, stamped, midX, midY] = [0, 0, "", 0, 0];

  const fill = (buffer, name, values, size, kind) => {
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, size, kind, kind === gl.UNSIGNED_BYTE, 0, 0);
  };
  const clear = () => {
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
  };
  return {
    canvas, clear, name: "webgl",
    load(points, bytes, palette, signs, order, from) {
      [n, split, midX, midY] = [points.n, from, points.midX, points.midY];
      const [at, tint] = [new Float32Array(2 * n), new Uint8Array(4 * n)];
      for (let k = 0; k < n; k++) {
        const i = order[k], rgb = palette[bytes[i]];
        at[2 * k] = points.x[i] - midX;
        at[2 * k + 1] = points.y[i] - midY;
        tint[4 * k] = rgb[0];
        tint[4 * k + 1] = rgb[1];
        tint[4 * k + 2] = rgb[2];
        tint[4 * k + 3] = signs[bytes[i]];
      }
      fill(places, "at", at, 2, gl.FLOAT);
      fill(tints, "tint", tint, 4, gl.UNSIGNED_BYTE);
    },
    draw(v, radius, dark) {
      clear();
      const passes = passesOf(n, split, radius);
      const largest = passes.at(-1).radius;
      const key = `${largest} ${v.ratio}`;
      if (key !== stamped) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, makeAtlas(largest, v.ratio).atlas);
      stamped = key;
      gl.uniform4f(uniform.view, (2 * v.kx) / v.width, (2 * v.ky) / v.height, (2 * v.toX(midX)) / v.width - 1, 1 - (2 * v.toY(midY)) / v.height);
      gl.uniform1f(uniform.rim, rimOf(dark));
      for (const pass of passes) {
        gl.uniform1f(uniform.size, (pass.radius + 1) * 2 * v.ratio);
        gl.uniform1f(uniform.alpha, pass.alpha);
        gl.drawArrays(gl.POINTS, pass.from, pass.to - pass.from);
      }
    },
  };
}

// The list of a stamp's pixels: [dx, dy, cover, rim] of each that is not empty, from 0 to 1.
function pixelsOf({ atlas, size }) {
  const pen = atlas.getContext("2d");
  return Array.from({ length: SIGNS }, (_, sign) => {
    const { data } = pen.getImageData(sign * size, 0, size, size);
    const found = [];
    for (let at = 0; at < size * size; at++) if (data[4 * at + 3] > 2) found.push(at % size, Math.floor(at / size), data[4 * at + 3] / 255, data[4 * at + 1] / 255);
    return Float32Array.from(found);
  });
}

// Stamping 20,000 sprites with drawImage takes a browser without a graphics card a second or more, writing their pixels some 30 ms.
function plainLayer(canvas) {
  const pen = canvas.getContext("2d");
  let held = null;
  const clear = () => pen.clearRect(0, 0, canvas.width, canvas.height);
  return {
    canvas, clear, name: "canvas",
    load(points, bytes, palette, signs, order, split) { held = { points, bytes, palette, signs, order, split }; },
    draw(v, radius, dark, ground) {
      const { points, bytes, palette, signs, order, split } = held;
      const [w, h, strength] = [canvas.width, canvas.height, rimOf(dark)];
      const image = pen.createImageData(w, h);
      const out = image.data;
      new Uint32Array(out.buffer).fill(((255 << 24) | (ground[2] << 16) | (ground[1] << 8) | ground[0]) >>> 0);
      for (const pass of passesOf(points.n, split, radius)) {
        const made = makeAtlas(pass.radius, v.ratio);
        const stamps = pixelsOf(made);
        for (let k = pass.from; k < pass.to; k++) {
          const i = order[k];
          const left = Math.round(v.toX(points.x[i]) * v.ratio - made.size / 2);
          const top = Math.round(v.toY(points.y[i]) * v.ratio - made.size / 2);
          if (left <= -made.size || top <= -made.size || left >= w || top >= h) continue;
          const [rgb, stamp] = [palette[bytes[i]], stamps[signs[bytes[i]]]];
          for (let p = 0; p < stamp.length; p += 4) {
            const [x, y] = [left + stamp[p], top + stamp[p + 1]];
            if (x < 0 || y < 0 || x >= w || y >= h) continue;
            const [a, rim, at] = [stamp[p + 2] * pass.alpha, stamp[p + 3] * strength, 4 * (y * w + x)];
            for (let c = 0; c < 3; c++) out[at + c] += (rgb[c] + (255 - rgb[c]) * rim - out[at + c]) * a;
          }
        }
      }
      pen.putImageData(image, 0, 0);
    },
  };
}

// By WebGL where the browser has it; `onLost` is called where it is taken away later. A canvas that has had one context cannot have
// the other, so that the fallback gets a fresh one in its place.
function pointLayer(canvas, onLost) {
  const byCard = glLayer(canvas, onLost);
  return byCard || plainLayer(freshCanvas(canvas));
}

function freshCanvas(canvas) {
  const fresh = canvas.cloneNode();
  canvas.replaceWith(fresh);
  return fresh;
}
