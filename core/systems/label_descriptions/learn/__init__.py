"""Training a language model on descriptions of the labels, after Gao et al. 2023."""
