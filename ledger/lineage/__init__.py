"""From rows and figures to the events that they come from, and from edition to edition."""
