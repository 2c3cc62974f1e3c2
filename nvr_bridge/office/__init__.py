"""What people do about visits, claims and consents: one file for each desk. The service hands them its commands."""
