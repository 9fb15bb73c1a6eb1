"""The named checks of a verification."""
