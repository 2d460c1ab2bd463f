"""What a message asks for and how pressing it is, read from its words, offline and in no time."""
