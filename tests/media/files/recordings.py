"""Clips as browsers record them: written while nobody knows how long they will be."""

import av


def recorded_live(path, clip):
    """The pictures of a clip in a Matroska file (its name ends in .mkv) that says nothing of its length."""
    with av.open(str(clip)) as source, av.open(str(path), "w", format="matroska", options={"live": "1"}) as written:
        stream = source.streams.video[0]
        copy = written.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                written.mux(packet)
    return path
