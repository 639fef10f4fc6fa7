"""A visitor's session, jobs, downloads, and choices."""
