"""The tests of webapp/samples."""
