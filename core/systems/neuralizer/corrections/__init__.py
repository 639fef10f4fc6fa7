"""What a cluster's loss drops by when a fault is taken out of its scans."""
