"""The tab Predict."""
