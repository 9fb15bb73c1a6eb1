"""The packaged data sets."""
