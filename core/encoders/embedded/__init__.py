"""The default encoder of images and texts: EfficientNet-Lite0 and MiniLM in one space."""
