"""LabelDesc: classes and tags known by their descriptions alone."""
