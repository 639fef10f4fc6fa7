"""The tab Compose."""
