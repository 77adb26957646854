"""The page in a real browser: a digit is drawn, and its answer read."""

import os
import shutil
import signal
import time

import numpy as np
import pytest
from encrypted_digits import web
from encrypted_digits.client import DigitClient
from encrypted_digits.pixels import load
from encrypted_digits.server import application

from tests.examples.encrypted_digits import circuits
from tests.examples.encrypted_digits.support import PATIENT

MISSING = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]

pytestmark = [
    pytest.mark.fhe,
    pytest.mark.skipif(
        bool(MISSING),
        reason=f"no {' and no '.join(MISSING)} (Debian: apt-get install chromium chromium-driver)",
    ),
]
WAIT_SECONDS = 600
WINDOW = "--window-size=1200,1000"


@pytest.fixture(scope="module")
def browser():
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", WINDOW):
        options.add_argument(argument)  # root in a container has neither sandbox nor much /dev/shm
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with webdriver.Chrome(options, service) as browser:
        yield browser


@pytest.fixture
def page(browser, counting, serving):
    server = serving(application(counting.directory / "server.zip", PATIENT))
    url = serving(web.application(DigitClient(counting.directory / "client.zip", server)))
    browser.get(url)
    until(browser, lambda: "has the evaluation keys" in text(browser, "connection"))
    yield browser
    # What the page's own rules forbid, or a script that fails, is told here.
    assert [
        entry for entry in browser.get_log("browser") if "favicon" not in entry["message"]
    ] == []
    serving.stop(url)
    serving.stop(server)


def until(browser, condition):
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, WAIT_SECONDS, poll_frequency=0.1).until(lambda _: condition())


def text(browser, name):
    return browser.find_element("id", name).text


def draw(browser, *strokes):
    """Draws with the mouse; points from the middle of the paper, in pixels."""
    from selenium.webdriver.common.action_chains import ActionChains

    paper = browser.find_element("id", "paper")
    for first, *others in strokes:
        actions = ActionChains(browser, duration=50).move_to_element_with_offset(paper, *first)
        actions.click_and_hold()
        for point in others:
            actions.move_to_element_with_offset(paper, *point)
        actions.release().perform()


def test_a_digit_is_drawn_and_its_answer_read(page):
    classify = page.find_element("id", "classify")
    assert not classify.is_enabled(), "there is nothing drawn yet"
    draw(page, [(-60, -100), (-60, 100)], [(0, -100), (0, 100)], [(60, -100), (60, 100)])
    assert classify.is_enabled()
    pixels = np.array(page.execute_script("return pixels()"))
    # Three strokes from the top to the bottom, each 4 of 32 dots wide: in rows of 4 dots, without
    # those of the round ends, they cover 48.
    assert pixels.shape == (8, 8) and (pixels[1:7].sum(1) == 48).all()
    assert (pixels[1:7] == pixels[1]).all() and (pixels[:, [0, 7]] == 0).all()
    classify.click()
    until(page, lambda: text(page, "state") == "Decrypted on this computer.")
    expected = circuits.scores(circuits.COUNTING, np.floor(pixels / 16 + 0.5).astype(int).T)
    rows = page.find_elements("css selector", "#scores tr")
    assert [int(row.find_element("tag name", "td").text) for row in rows] == expected
    assert text(page, "class") == str(np.argmax(expected))
    assert "bytes sent" in text(page, "cost")
    assert page.find_element("id", "progress").get_property("value") == 1


def test_it_is_said_that_keys_are_made(browser, counting, serving):
    client = DigitClient(counting.directory / "client.zip", "http://127.0.0.1:9")
    os.kill(client._holder._process.pid, signal.SIGSTOP)
    url = serving(web.application(client))
    browser.get(url)
    until(browser, lambda: "Making the secret key" in text(browser, "connection"))
    os.kill(client._holder._process.pid, signal.SIGCONT)
    until(browser, lambda: "does not answer" in text(browser, "connection"))
    serving.stop(url)


def test_a_client_that_has_failed_is_asked_no_more(browser, counting, serving):
    client = DigitClient(counting.directory / "client.zip", "http://127.0.0.1:9")
    client._holder._process.kill()
    url = serving(web.application(client))
    browser.get(url)
    until(browser, lambda: "has ended; see its messages" in text(browser, "connection"))
    asked = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    before = browser.execute_script(asked)
    time.sleep(2.5)  # it would have asked twice
    assert browser.execute_script(asked) == before
    serving.stop(url)


def test_a_small_digit_in_a_corner_is_brought_to_size(page):
    draw(page, [(100, 80), (100, 120)])
    small = page.execute_script("return pixels()")
    page.find_element("id", "clear").click()
    assert np.sum(page.execute_script("return pixels()")) == 0
    draw(page, [(-20, -120), (-20, 100)])
    assert small == page.execute_script("return pixels()")


def test_a_digit_of_the_test_set_needs_no_mouse(page):
    page.find_element("id", "example").send_keys(" ")
    until(page, lambda: "of UCI's test set" in text(page, "state"))
    pixels = page.execute_script("return pixels()")
    images, labels = load()
    chosen = (images == pixels).all((1, 2)).nonzero()[0][0]
    assert f"Someone's {labels[chosen]}," in text(page, "state")
    page.find_element("id", "classify").send_keys(" ")
    until(page, lambda: text(page, "state") == "Decrypted on this computer.")


def test_what_goes_wrong_is_said(page, serving):
    draw(page, [(0, -100), (0, 100)])
    server = page.execute_script("return fetch('status').then((answer) => answer.json())")["server"]
    serving.stop(server)
    page.find_element("id", "classify").click()
    until(page, lambda: "does not answer" in text(page, "state"))
    assert text(page, "class") == "–"
    assert page.find_element("id", "classify").is_enabled()
