"""Read samples that are more than an image with one label: several labels, masks by class, detections."""
