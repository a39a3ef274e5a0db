"""Events in people's words: what mails, pages and the command line say."""
