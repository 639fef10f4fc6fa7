"""Images drawn with known truth: photographs with cut-outs, shapes, and benchmarks made of them."""
