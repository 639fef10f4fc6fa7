"""The command line. One file a family of commands; `main` reads the arguments and imports what is asked for."""
