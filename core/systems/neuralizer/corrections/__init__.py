"""How far a cluster's loss drops when its scans are corrected."""
