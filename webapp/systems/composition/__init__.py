"""The part Composition of the place Probe: benchmarks, your own pairs, the binding grid, and adapters."""
