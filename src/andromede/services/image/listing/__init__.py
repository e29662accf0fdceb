"""The list of images: filters, sorting and paging."""
