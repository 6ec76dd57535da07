"""Asks an Understudy server: ``Client`` waits for its answers, ``AsyncClient`` lets others work meanwhile.

with Client("https://swaps.example.org:8770", token) as client:
    me = client.add_person(["me.jpg"], ground="self")
    clip = client.hand_over("clip.mp4")
    swap = client.swap(clip["id"], person=me["id"])
    client.fetch(client.wait(swap["id"])["id"], "swapped.mp4")
"""

from understudy.client.asking import ApiError
from understudy.client.async_client import AsyncClient
from understudy.client.client import Client

__all__ = ["ApiError", "AsyncClient", "Client"]
