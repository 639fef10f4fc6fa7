"""The tab Probe."""
