"""How long a frame takes while the map's points are moved, by each of its renderers and by a library beside them.

    python -m research.evidence.map_renderers [--library BUNDLE.js] [--points 20000 100000]

In headless Chromium with software drawing, 720 x 620 pixels. Printed: points, renderer, milliseconds of the first
image and of a frame (median of 12). BUNDLE.js puts regl-scatterplot's `createScatterplot` on the window:

    npm i regl-scatterplot@1.16.0 regl@2.1.1 pub-sub-es@3.0.0 esbuild
    echo "import c from 'regl-scatterplot'; globalThis.createScatterplot = c" > in.js
    npx esbuild in.js --bundle --minify --format=iife --outfile=BUNDLE.js
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tests.support.chromium import ARGUMENTS, CHROMIUM, DRAWING
from webapp.markup.components import script

RENDERERS = ("webgl", "canvas")
MEASURE = """async ([name, n]) => {
  const [W, H, R] = [720, 620, 2];
  document.body.innerHTML = `<canvas width=${W} height=${H} style="width:${W}px;height:${H}px"></canvas>`;
  let seed = 1;
  const draw = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const bell = () => 0.5 * (draw() + draw() + draw() + draw() - 2);
  const x = Float32Array.from({ length: n }, (_, i) => 0.6 * Math.cos(i % 9) + bell());
  const y = Float32Array.from({ length: n }, (_, i) => 0.6 * Math.sin(i % 9) + bell());
  const z = Float32Array.from({ length: n }, draw);
  const canvas = document.querySelector('canvas'), took = [], start = performance.now();
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  let move;
  if (name === 'library') {
    const pointColor = Array.from({ length: 48 }, (_, i) => `#${(5 * i).toString(16).padStart(2, '0')}5a50`);
    const look = { pointSize: 2 * R, pointColor, colorBy: 'valueA', opacity: 1 };
    const plot = createScatterplot({ canvas, width: W, height: H, ...look });
    await plot.draw({ x, y, z }, { zDataType: 'continuous' });
    const gl = plot.get('regl')._gl;
    move = async (by) => {
      const drawn = new Promise((done) => plot.subscribe('draw', done, 1));
      plot.view(new Float32Array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, by, 0, 0, 1]), { preventEvent: false });
      await drawn;
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    };
  } else {
    const layer = name === 'webgl' ? layers.glLayer(canvas, () => {}) : layers.plainLayer(canvas);
    const colour = { kind: 'sequential' }, order = Uint32Array.from({ length: n }, (_, i) => i);
    const palette = layers.paletteOf(colour, false), bytes = Uint8Array.from(z, (v) => 254 * v);
    layer.load({ n, x, y, midX: 0, midY: 0 }, bytes, palette, Array(256).fill(0), order, n);
    const seen = canvas.getContext(name === 'webgl' ? 'webgl' : '2d');
    move = async (by) => {
      const [toX, toY] = [(v) => W / 2 * (1 + v + by), (v) => H / 2 * (1 - v)];
      layer.draw({ width: W, height: H, ratio: 1, kx: W / 2, ky: H / 2, toX, toY }, R, false, [236, 239, 243]);
      if (name === 'webgl') seen.readPixels(0, 0, 1, 1, seen.RGBA, seen.UNSIGNED_BYTE, new Uint8Array(4));
      else seen.getImageData(0, 0, 1, 1);
    };
  }
  await move(0);
  const first = performance.now() - start;
  for (let k = 1; k <= 12; k++) {
    const from = performance.now();
    await move(k / 100);
    await frame();
    took.push(performance.now() - from);
  }
  return [first, took.sort((a, b) => a - b)[6]];
}"""


def main() -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--library", type=Path)
    ask.add_argument("--points", nargs="+", type=int, default=(20_000, 100_000))
    said = ask.parse_args()
    ours = "".join(script(name) + "\n" for name in ("map_colour", "map_points"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *DRAWING])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(600_000)
        page.add_script_tag(content=f"(() => {{ {ours} window.layers = {{ glLayer, plainLayer, paletteOf }}; }})()")
        if said.library:
            page.add_script_tag(path=said.library)
        for n in said.points:
            for name in (*RENDERERS, *(["library"] if said.library else [])):
                first, frame = page.evaluate(MEASURE, [name, n])
                load = os.getloadavg()[0]
                print(f"{n:>7,}  {name:<8} first {first:6,.0f}  frame {frame:6,.0f}  (load {load:.1f})", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
