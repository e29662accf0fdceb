"""OAuth 1.0a: consumers to whom users lend roles. Source: the identity API's extension OS-OAUTH1."""
