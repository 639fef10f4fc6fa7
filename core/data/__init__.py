"""What the user brings, read and checked."""
