"""The data of images: files in the folder of images, filled and read through the API."""
