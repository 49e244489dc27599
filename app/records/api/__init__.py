"""Records of other systems for programs: kept in step by their own ids, linked to contacts and conversations."""
