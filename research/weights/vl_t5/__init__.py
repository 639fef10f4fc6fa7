"""How the VL-T5 that answers and describes was taught."""
