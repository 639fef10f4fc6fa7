"""Tags in the tab Ask: suspected causes, each known from its description alone."""
