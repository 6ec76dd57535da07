"""The room in which faces are put onto the people of a picture or clip."""
