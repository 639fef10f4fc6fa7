"""Texts: read from columns, measured on their words, shown as typeset cards."""
