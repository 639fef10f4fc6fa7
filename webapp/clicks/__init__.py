"""The tab Thirty clicks."""
