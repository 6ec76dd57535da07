"""The mesh engine: a renderer of textures on tracked meshes. Needs no download."""
