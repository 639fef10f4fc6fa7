"""What a visitor has chosen and done: session, jobs, downloads, choices."""
