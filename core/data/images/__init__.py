"""Images: found, decoded, measured, compared."""
