"""Notices rows that are related although no column says so: frames of a film, images of a patient, bursts, copies."""
