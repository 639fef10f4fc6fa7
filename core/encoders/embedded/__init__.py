"""The encoder that comes along: EfficientNet-Lite0 and MiniLM in one space."""
