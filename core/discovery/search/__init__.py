"""The family of everything that is searched, and its one test."""
