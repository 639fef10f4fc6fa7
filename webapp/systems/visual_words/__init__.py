"""Visual words in the tab Ask: parts of images that go with failure."""
