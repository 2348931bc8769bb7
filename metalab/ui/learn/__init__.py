"""What explains the field to a person: terms, a first page, a tour, lessons."""
