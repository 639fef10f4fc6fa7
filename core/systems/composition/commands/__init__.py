"""The command `compose` and those below it."""
