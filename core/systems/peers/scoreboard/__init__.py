"""What the scoreboard came to, read and shown; research/scoreboard makes it."""
