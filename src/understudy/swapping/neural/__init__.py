"""The neural engine: every swapper of the catalogue. Nothing is imported here: it takes ONNX Runtime."""
