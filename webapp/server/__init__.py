"""Serving the page: settings, web rules, quotas, sweeping."""
