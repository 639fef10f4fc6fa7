"""What was found of one model, in its later versions: followed, and held against a new one before it is released."""
