"""Tables written as files, and read back."""
