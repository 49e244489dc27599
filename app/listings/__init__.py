"""What a business offers (properties above all): listings, their feed, saved searches, alerts, and inquiries."""
