"""Mistakes that people make when they export a table, one at a time: is each read rightly, refused, noted or shown?"""
