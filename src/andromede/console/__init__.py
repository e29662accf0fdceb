"""Consoles in a browser: their pages, and the WebSockets behind them. Served by the api role on both
listeners; the machine's end is the edge's."""
