"""Pictures: found, decoded, measured, compared."""
