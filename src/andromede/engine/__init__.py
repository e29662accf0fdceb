"""The engines that stand behind the cloud: one protocol, several hosts of it. Imports no service."""
