"""Questions to the pictures of the open run, and captions of its clusters, in the tab Ask."""
