"""Tests of SOHO's pretraining."""
