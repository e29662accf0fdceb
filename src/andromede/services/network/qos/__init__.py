"""Quality of service: policies with rules that limit and mark what ports and floating IPs carry."""
