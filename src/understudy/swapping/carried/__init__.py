"""Faces of a slow engine, carried by the mesh: what it gave once is drawn on every frame until the next is ready."""
