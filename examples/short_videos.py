"""Make short vertical videos of a table: a clip, a photo and a text in each row.

python examples/short_videos.py TABLE FOLDER

The table is a .csv with the columns clip, photo and text; paths are relative to it. Whatever breaks off is taken up
again when the script is run once more: the videos are jobs, and those that are done are not done twice.
"""

import csv
import sys
from pathlib import Path

from understudy import ConsentClaim, Order, Understudy

table, folder = Path(sys.argv[1]), Path(sys.argv[2]).absolute()
folder.mkdir(exist_ok=True)
consent = ConsentClaim("self")  # or ConsentClaim("granted", "by e-mail, 3 May"), for a face that is not yours

orders = []
with table.open(newline="", encoding="utf-8") as file:
    for number, row in enumerate(csv.DictReader(file), 1):
        # Step 1, the voice: one that reads the text would be laid under the clip here. What is swapped keeps its sound.
        clip = table.parent / row["clip"]
        # Step 2, the video.
        orders.append(
            Order(
                target=clip,
                output=folder / f"{number:03d}-{clip.stem}.mp4",
                photos=(table.parent / row["photo"],),
                settings={"frame.shape": "1080x1920", "frame.fit": "crop", "frame.caption": row["text"]},
            )
        )

with Understudy() as app:
    known = {job.order.output for job in app.jobs.list()}
    orders = [order for order in orders if order.output not in known]
    _, refused = app.jobs.add_each(orders, consent)
    app.jobs.run()
    for place, fault in refused:
        print(f"left out  {orders[place].output.name}: {fault.message}")
    for job in app.jobs.list():
        if job.order.output.parent == folder:
            print(f"{job.state:9s} {job.order.output.name}" + (f": {job.failure.message}" if job.failure else ""))
