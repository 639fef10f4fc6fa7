"""The tab Ask, and the audit of every phrase."""
