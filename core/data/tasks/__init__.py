"""Samples that are more than a picture with a label: several labels, masks by class, detections."""
