"""Visual words in the tab Ask: parts of pictures that go with failure."""
