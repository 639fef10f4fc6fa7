"""How the page is served: settings, rules of the web, quotas, what is swept."""
