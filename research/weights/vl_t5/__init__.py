"""Making the model that answers and describes."""
