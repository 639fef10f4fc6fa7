"""The method: failure clusters and conditions proposed, tested and described."""
