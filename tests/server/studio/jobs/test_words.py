"""What the Jobs room says of a failure."""

import pytest

from understudy.errors import (
    ConsentError,
    EncodingError,
    ModelMissingError,
    NoFaceError,
    NoMemoryError,
    NoSpaceError,
    OutputExistsError,
    UsageError,
)
from understudy.jobs.job import JobFailure, Order
from understudy.jobs.runner import Runner
from understudy.jobs.store import JobStore
from understudy.provenance import Home
from understudy.release import file_digest
from understudy.server.studio.jobs.words import said_of, waits_for
from understudy.server.texts import LANGUAGES, Texts


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (NoFaceError("no face in a.png", "Use another."), "fault.no_face"),
        (ConsentError("no consent for a.png", "Grant it."), "jobs.no_consent"),
        (ModelMissingError("inswapper"), "fault.model_missing"),
        (NoMemoryError("(malloc)"), "fault.no_memory"),
        (OutputExistsError("out.mp4 is there", "Move it."), "jobs.exists"),
        (UsageError("a part that ends before it begins", "Choose another."), "jobs.bad_order"),
        (EncodingError("x264 failed", "Choose another encoder."), "jobs.broke"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_said_by_what_failed_in_every_language(fault, text, tmp_path):
    inputs = [tmp_path / "clip.mp4", tmp_path / "photo.png"]
    for path in inputs:
        path.write_bytes(path.name.encode())
    store = JobStore(Home(tmp_path / "home"))
    digests = {str(path): file_digest(path) for path in inputs}
    (number,) = store.add([(Order(inputs[0], tmp_path / "out.mp4", inputs[1:]), digests)])

    def fails(claim, progress):
        raise fault

    assert Runner(store, fails).run() == 0
    failure = store.job(number).failure
    assert said_of(failure) == text
    assert failure.message == fault.message
    assert len({Texts(language)(text) for language in LANGUAGES}) == len(LANGUAGES)


def test_a_failure_from_before_errors_were_named_is_said_by_its_exit_code():
    assert said_of(JobFailure("no consent", "Grant it.", 4)) == "jobs.refused"
    assert said_of(JobFailure("killed", "", 137)) == "jobs.broke"


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_jobs_are_not_done_is_said_in_the_readers_language_where_that_is_known(language, tmp_path):
    texts = Texts(language)
    full = waits_for(texts, JobFailure.of(NoSpaceError(tmp_path / "out.mp4")))
    assert full.text == "jobs.runner"
    assert full.detail.startswith(texts("fault.disk_full"))
    assert "out.mp4" in full.detail
    assert waits_for(texts, JobFailure("exit code 9", "", 9)).detail == "exit code 9."
    assert waits_for(texts, None) is None
