"""Live pictures by WebRTC: a browser's camera in, labelled frames out. What is sent goes to who asked, nowhere else."""
