"""What tests are made with: corpus, crafted logs, attacks, mutations, routes, sample logs. No tests."""
