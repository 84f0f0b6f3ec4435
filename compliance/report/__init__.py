"""The monthly report: one model of numbers, rendered to PDF and XLSX, the same bytes for the same data."""
