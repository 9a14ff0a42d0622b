"""An agent works with the page, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from serving.app import create_app
from serving.settings import Settings
from tests.browsing import CHROMIUM, NO_CHROMIUM, chromium, running
from tests.fakes import open_shop, publish_shop

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    var = tmp_path_factory.mktemp("var")
    publish_shop(var / "published")
    app = create_app(Settings(data={"data_dir": var}), open_shop)
    with running(app) as address, chromium() as browser:
        opened = browser.new_page(base_url=address, viewport={"width": 320, "height": 800})
        opened.set_default_timeout(5000)
        complaints: list[str] = []
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        assert complaints == []


def test_an_agent_finds_a_customer_and_reads_what_to_say(page: Page) -> None:
    page.goto("/agent")
    page.get_by_label("Customer", exact=True).fill("ann")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Customer ann")).to_be_visible()
    expect(page.locator("#who")).to_contain_text("310.00")
    expect(page.locator(".hint h3")).to_have_text(["COFFEE", "BREAD", "Tea, 1.00 off"])
    expect(page.locator(".hint").first).to_contain_text("May I suggest COFFEE?")


def test_what_was_held_back_is_one_click_away(page: Page) -> None:
    page.goto("/agent?customer=ann")
    page.get_by_text("1 held back, and why").click()
    expect(page.locator("#held li")).to_contain_text(["Gold plan"])
    expect(page.locator("#held li")).to_contain_text(["Mailed 11 days ago."])


def test_who_complains_is_helped_first(page: Page) -> None:
    page.goto("/agent?customer=ann")
    page.get_by_label("What the customer wants").select_option("complaint")
    expect(page.locator("#hints")).to_contain_text("A complaint is open: help first.")
    expect(page.locator(".hint")).to_have_count(0)


def test_a_customer_is_picked_from_a_list(page: Page) -> None:
    page.goto("/agent")
    page.get_by_label("or pick from").select_option("new")
    page.get_by_role("button", name="bob").click()
    expect(page.get_by_role("heading", name="Customer bob")).to_be_visible()


def test_a_list_that_comes_late_does_not_replace_the_one_chosen_after_it(page: Page) -> None:
    first, late = "**/v1/segments/champions/customers*", list[Route]()
    page.route(first, lambda route: late.append(route))  # noqa: PLW0108  (Playwright marks a handler)
    with page.expect_request(first):
        page.goto("/agent")
    page.get_by_label("or pick from").select_option("new")
    expect(page.locator("#picks button")).to_have_text(["bob"])
    with page.expect_event("requestfinished", lambda request: "champions" in request.url):
        late[0].continue_()
    page.unroute(first)
    page.get_by_role("button", name="bob").click()
    expect(page.get_by_role("heading", name="Customer bob")).to_be_visible()
    expect(page.locator("#picks button")).to_have_text(["bob"])


def test_what_the_customer_answers_is_told_once(page: Page) -> None:
    page.goto("/agent?customer=bob")
    first = page.locator(".hint").first
    with page.expect_response("**/outcomes") as told:
        first.get_by_role("button", name="No", exact=True).click()
    assert told.value.json() == {"recorded": 2, "duplicates": 0}
    expect(first.get_by_role("button", name="No", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(first.get_by_role("button", name="Yes")).to_be_disabled()
    page.goto("/agent?customer=bob")
    expect(page.locator("#who .live")).to_have_text("live")


def test_what_the_customer_wrote_is_heard(page: Page) -> None:
    page.goto("/agent?customer=ann")
    page.get_by_label("What the customer wrote").fill("I want to make a complaint, this is unacceptable")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#hints")).to_contain_text("A complaint is open: help first.")


@pytest.mark.parametrize("width", [320, 820, 1280])
def test_nothing_runs_over_the_edge(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/agent?customer=ann")
    expect(page.locator(".hint")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_customer_who_cannot_be_shown_leaves_nobody_elses_hints_on_the_page(page: Page) -> None:
    page.goto("/agent?customer=ann")
    browser = page.context.browser
    assert browser is not None
    second = browser.new_page()
    second.goto(page.url)
    expect(second.locator("#desk")).to_be_visible()
    second.route("**/v1/customers/bob*", lambda route: route.abort())
    second.get_by_label("Customer", exact=True).fill("bob")
    second.get_by_role("button", name="Show").click()
    expect(second.locator("#trouble")).to_be_visible()
    expect(second.locator("#desk")).to_be_hidden()
    second.close()


def test_markup_in_a_name_is_shown_as_text(page: Page) -> None:
    page.goto("/agent?customer=<img src=x onerror=alert(1)>")
    expect(page.locator("#who h2")).to_have_text("Customer <img src=x onerror=alert(1)>")
    assert page.locator("#who img").count() == 0
