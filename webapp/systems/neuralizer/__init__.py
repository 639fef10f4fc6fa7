"""Panels of the tab Ask: the cause of errors on scans or clips, and reference masks for scans without a true one."""
