"""Records on disk: written, checked, ranked, compared, and shown as tables and pages."""
