"""What the page offers of proposed words: an endpoint for programs."""
