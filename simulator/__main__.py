import logging
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from simulator import Settings, World, create_app

log = logging.getLogger("simulator")


class QuietHandler(WSGIRequestHandler):
    """Reuses connections, and logs paths without their queries, which carry tokens and codes."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave in one packet; in two, the second waits for the first to be confirmed.
    wbufsize = 65536
    disable_nagle_algorithm = True

    def finish(self) -> None:
        """Who was hung up on, as ordered, cannot be sent what is left."""
        with suppress(ConnectionError):
            super().finish()

    def log_request(self, code: int | str = "-", *_: int | str) -> None:
        log.debug("%s %s %s", self.command, self.path.partition("?")[0], code)


def main() -> None:
    # Threads that have just come back from SQLite should not wait five milliseconds for their turn.
    sys.setswitchinterval(0.0005)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = Settings.from_command_line()
    app = create_app(settings)
    server = make_server(settings.host, settings.port, app, threaded=True, request_handler=QuietHandler)
    world = World.of(app)
    world.start()
    log.info("Meta is simulated at %s", settings.public_url)
    _stop_on_signal(server)
    server.serve_forever(poll_interval=0.1)
    world.stop()


def _stop_on_signal(server: Any) -> None:
    def stop(*_: Any) -> None:
        # shutdown() waits for serve_forever(), which this very thread is running.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


if __name__ == "__main__":
    main()
