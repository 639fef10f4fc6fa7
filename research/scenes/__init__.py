"""Drawn images of composition: what draws the benchmarks that ship as files, and more of them."""
