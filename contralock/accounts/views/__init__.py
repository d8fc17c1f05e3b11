"""What /api/auth/ answers, and the pages that mails lead to. Views translate; services decide and write."""
