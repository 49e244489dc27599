"""Reports: what was written, how soon people replied, how customers rated it, and what was delivered."""
