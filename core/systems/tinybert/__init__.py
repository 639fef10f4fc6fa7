"""A smaller BERT taught by a larger one, after TinyBERT (Jiao et al., Findings of EMNLP 2020, arXiv 1909.10351)."""
