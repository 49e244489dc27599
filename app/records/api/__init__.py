"""Records of other systems for programs: synchronised by their own ids, linked to contacts and conversations."""
