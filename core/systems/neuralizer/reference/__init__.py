"""Reference masks for scans without a true mask, from examples in the same upload, and their quality."""
