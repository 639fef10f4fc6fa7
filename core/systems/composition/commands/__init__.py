"""The commands `compose` and `adapt`."""
