"""Tests of how the page is served."""
