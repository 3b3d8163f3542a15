"""What tests and the bench command talk to in place of the world. Never imported by the product itself."""
