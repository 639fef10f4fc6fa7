"""Tables: their columns recognized, their cells read, the loss computed."""
