"""The tab Scoreboard: Errata and its peers on planted failures and on the open run."""
