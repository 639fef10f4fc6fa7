"""Read detections: boxes from COCO or YOLO, matched with objects, as rows to diagnose."""
