"""The support report as a page: what is read for it, its pictures, tables, explanations."""
