"""WhatsApp Flows: forms that customers fill in inside WhatsApp, from the first draft to the table of responses."""
