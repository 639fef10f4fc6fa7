"""Samples that are more than an image with a label: several labels, masks by class, detections."""
