"""What servers report to others: nothing, whatever their environment asks FastAPI for."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.server.api.conftest import server_in
from tests.server.conftest import studio_in

pytestmark = [pytest.mark.slow, pytest.mark.loopback]


@pytest.mark.parametrize("begun", [server_in, studio_in])
def test_an_environment_that_asks_for_reports_gets_none(tmp_path, begun):
    with socket.create_server(("127.0.0.1", 0)) as collector:
        collector.settimeout(0)
        place = f"http://127.0.0.1:{collector.getsockname()[1]}"
        wanted = {"FASTAPI_OTEL_AUTO_CONFIGURE": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": place}
        with begun(tmp_path, **wanted) as running:
            assert httpx.get(f"{running.address.partition('/?')[0]}/health").status_code == 200
        # Where what would send is not installed, FastAPI complains of that: it tried.
        assert "telemetry" not in running.log.read_text()
        with pytest.raises(BlockingIOError):
            collector.accept()
