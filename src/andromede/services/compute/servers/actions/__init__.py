"""The acts on servers that go through `POST …/action`."""
