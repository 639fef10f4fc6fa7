"""The tab Probe: zero-shot and few-shot classifiers on the samples of the open run."""
