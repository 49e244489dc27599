"""Between a page and the server: answers that are held back, and let through late or in another order."""

from __future__ import annotations

import contextlib

from playwright.sync_api import APIResponse, Error, Page, Route, expect

HELD = ("fetch", "xhr", "document")
ROUNDS = 600
# The server closes connections that are idle for two seconds; a request on one at that moment is sent again, as
# Chromium does.
RETRIES = 3


class Line:
    """The server answers at once; the page has the answer when the test lets it through. No clock is involved."""

    def __init__(self, page: Page) -> None:
        self.page, self.is_held, self.requested = page, False, 0
        self.answers: list[tuple[Route, APIResponse]] = []
        self.errors: list[str] = []
        page.route("**/*", self.carry)

    def carry(self, route: Route) -> None:
        if not self.is_held or route.request.resource_type not in HELD:
            route.fallback()
            return
        self.requested += 1
        try:
            answer = route.fetch(max_redirects=0, max_retries=RETRIES)
            if self.is_held:
                self.answers.append((route, answer))
            else:
                route.fulfill(response=answer)
        except Error as error:  # the page may be gone before it is answered
            self.errors.append(str(error))
        finally:
            self.requested -= 1

    def hold(self) -> None:
        self.is_held = True

    def arrived(self, count: int = 1) -> None:
        """Until at least so many answers are held, and none is on its way."""
        for _ in range(ROUNDS):
            self.page.wait_for_timeout(25)
            if not self.requested and len(self.answers) >= count:
                return
        raise AssertionError(f"{len(self.answers)} answers of {count}, {self.errors}")

    def let_through(self, *, reverse: bool = False) -> None:
        """What is held goes to the page, the last one first if so asked; whatever is asked from now on goes at once."""
        self.arrived()
        self.is_held = False
        answers, self.answers = self.answers, []
        for route, answer in reversed(answers) if reverse else answers:
            with contextlib.suppress(Error):  # of a request that the page has given up
                route.fulfill(response=answer)
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
