"""What a run would have found: failures of several sizes and strengths planted into the user's own losses."""
