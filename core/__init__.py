"""Errata: where does a model fail, why, and how sure are we?

    what the user brings ─► samples ─► losses ─────────────┐
                               │                           ├─► regressors ─► clusters ─► insights ─► Diagnosis ─► report
                               └─► encoders ─► embeddings ─┘                                            │
                                                                                                     webapp
    probes: samples and encoders ─► a loss for each sample, so the same diagnosis explains every probe;
    compare: two models' outcomes on the same samples, by class and by cluster
    composition: pictures and captions that belong together or do not ─► a score matrix an item ─► figures, and a margin
        for each sample;
    adapters: small modules trained on an encoder's tokens, scored like any encoder

Data goes one way, left to right, and a file imports from files to its left. `core` knows nothing of `webapp` or Gradio;
`webapp` and the command line (`core/cli/main.py`) are two faces of the same `core`. Start reading at
`core/diagnose.py`: it is the whole method on one screen. `core/records/diagnosis.py` holds the nouns. Nothing is
re-exported here, so `import core` is instant.
"""
