"""How the Neuralizer was taught: label slices, scans drawn from them, and the training."""
