"""Members of images: the projects that a shared image is offered to."""
