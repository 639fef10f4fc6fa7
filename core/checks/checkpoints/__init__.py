"""The findings of one model in its later versions: followed over checkpoints, and checked before a release."""
