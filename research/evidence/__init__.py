"""Benchmarks that take minutes: started by hand, one line a run, so that a broken run goes on where it was."""
