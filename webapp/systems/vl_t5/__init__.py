"""Questions to the images of the open run, and captions of its clusters, in the tab Ask."""
