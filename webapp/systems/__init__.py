"""The panels and tabs of what is not the diagnosis."""
