"""The part Classes of the place Probe: zero-shot and few-shot classifiers on the samples of the open run."""
