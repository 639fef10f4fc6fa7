"""The tab Scoreboard: Errata beside its peers, on planted failures and on the open run."""
