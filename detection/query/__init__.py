"""What an analyst asks of stored events: the text form, its completion, and the Elasticsearch form."""
