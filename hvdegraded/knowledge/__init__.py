"""Facts as data: providers, events, protocol versions and guest systems, each row with its source."""
