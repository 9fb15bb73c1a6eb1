"""The customer-support data set: its description, its report and its business questions."""
