"""Pictures spoken of: a T5 that sees answers, describes and points, every task as text."""
