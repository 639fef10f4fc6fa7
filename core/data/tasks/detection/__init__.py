"""Detections: boxes read from COCO or YOLO, matched, and made rows."""
