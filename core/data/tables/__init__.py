"""Tables: their columns recognised, their cells read, the loss computed."""
