"""Pictures as SVG text: the map of places, the graph of owners, the timeline of accesses. Pure."""
