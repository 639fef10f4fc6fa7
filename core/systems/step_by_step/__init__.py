"""A small T5 that learns from labels and from reasons, after "Distilling step-by-step" (Hsieh et al., Findings of ACL
2023, arXiv 2305.02301)."""
