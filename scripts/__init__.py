"""Commands for developers, and modules that generate shipped files."""
