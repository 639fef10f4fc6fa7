"""Clips: videos and animated images, decoded to a few frames, measured over time, shown as storyboards."""
