"""The tab Compose: benchmarks of composition, your own pairs, the grid of binding, and adapters."""
