"""The command `keras-addrnn`; imports Keras only for the subcommands that need it."""
