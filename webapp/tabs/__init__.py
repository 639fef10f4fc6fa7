"""The page's tabs, one file each: pure callbacks first, then `build`."""
