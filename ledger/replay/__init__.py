"""Events replayed to the state of an edition."""
