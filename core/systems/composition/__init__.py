"""Does a model tell "a red cube and a blue sphere" from the swap? Benchmarks of composition, their scores, and what
they say.

    benchmark file ─► Benchmark ─► LoadedBenchmark ─► one score matrix an item ─► CompositionResult ─► comparison,
                      readers      pictures           scoring, adapters           measures            diagnosis, report

Everything that is scored is an `Item`: some pictures, some captions, and which belong together.
"""
