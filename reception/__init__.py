"""Where strangers ask: contact cards, questions, speakers and talk requests."""
