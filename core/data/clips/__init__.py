"""Clips: videos and animated pictures, decoded to a few frames, measured over time, shown as storyboards."""
