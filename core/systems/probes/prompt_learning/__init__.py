"""Probes that learn the words around a class name: CoOp, CoCoOp."""
