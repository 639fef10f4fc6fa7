"""Sentences on options that several commands of composition have."""

WHAT_BENCHMARK = "its file or folder, or the name of a shipped one (see `compose benchmarks`)"
FORMAT = "a name of `compose benchmarks` (default: recognized by the file's shape)"
IMAGES = "folder, zip or tar of its images (default: the folder of its file)"
MODEL = "an encoder, or the folder of a trained adapter"
