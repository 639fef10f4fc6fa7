"""Making what ships for scans: label slices and the network that was taught on them."""
