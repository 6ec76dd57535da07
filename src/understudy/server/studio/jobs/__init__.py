"""The room in which one sees what is to be rendered, what is, and what came of it."""
