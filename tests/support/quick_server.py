"""A server that starts quickly, without the shipped examples, and whose diagnoses are made in seconds: its words are
drawn, not read, and its maps are PCA. For tests of how a server ends and what it keeps, which look at none of it."""

from __future__ import annotations

QUICK = """
import sys
import numpy as np
from core.discovery import method
from core.embeddings.projection import pca_map
from core.encoders.embedded.encoder import EmbeddedEncoder
from webapp import app

def encode_texts(encoder, texts):
    drawn = np.random.default_rng(0).normal(size=(len(texts), 1063)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)

EmbeddedEncoder.encode_texts = encode_texts
method.umap_map = lambda embeddings, **_: pca_map(embeddings)
app.warm_up = lambda *_: None
app.find_examples = lambda _, find=app.find_examples: find(examples)
from core.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""What a server begins with that knows where its `examples` are."""
START = ("-c", f"from pathlib import Path\nexamples = Path('none'){QUICK}")
"""What Python is told before the command (`research.evidence.load.served`)."""
