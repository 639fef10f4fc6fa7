"""What a person types, and the packages that make what ships."""
