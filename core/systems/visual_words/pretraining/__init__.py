"""SOHO: a single-stream Transformer over captions and cells, pretrained through a visual dictionary."""
