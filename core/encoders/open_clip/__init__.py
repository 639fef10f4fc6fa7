"""Any model of open_clip, from its hub or from a folder."""
