"""The frontend's settings, and what a proxy passes on."""

from __future__ import annotations

import pytest
from chat_frontend.headers import request_headers, response_headers
from chat_frontend.settings import SettingsError, load_settings


def test_defaults():
    settings = load_settings({})
    assert (settings.port, settings.backend, settings.version, settings.colour) == (3000, "http://backend:8080", "dev", "none")


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({"PORT": "x"}, "Cannot start: PORT is 'x'; it must be a port number from 1 to 65535."),
        *(
            ({"BACKEND_URL": url}, f"Cannot start: BACKEND_URL is {url!r}; it must look like http://backend:8080.")
            for url in (
                "backend:8080",
                "ftp://backend",
                "http://",
                "http://a:99999",
                "http://user@backend",
                "http://backend/path",
                "http://[",
            )
        ),
        ({"RETRY_FOR_S": "-1"}, "Cannot start: RETRY_FOR_S is '-1'; it must be a number of seconds from 0 to 600."),
    ],
)
def test_a_wrong_setting_is_one_sentence(given, sentence):
    with pytest.raises(SettingsError) as caught:
        load_settings(given)
    assert str(caught.value) == sentence


def test_a_trailing_slash_does_not_double():
    assert load_settings({"BACKEND_URL": "http://backend:8080/"}).backend == "http://backend:8080"


def test_the_backend_learns_who_asks_and_nothing_of_the_connection():
    given = [
        ("Host", "chat.example"),
        ("Connection", "keep-alive, X-Only-Here"),
        ("X-Only-Here", "1"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Key", "k"),
        ("Content-Length", "3"),
        ("Accept", "text/html"),
        ("X-Forwarded-For", "10.0.0.1"),
    ]
    assert request_headers(given, peer="10.0.0.2", scheme="http", host="chat.example") == [
        ("Accept", "text/html"),
        ("X-Forwarded-For", "10.0.0.1, 10.0.0.2"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", "chat.example"),
    ]


def test_what_a_load_balancer_before_us_said_stays():
    passed = dict(request_headers([("X-Forwarded-Proto", "https")], peer=None, scheme="http", host="h"))
    assert passed == {"X-Forwarded-For": "", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "h"}


def test_the_client_gets_the_answer_without_the_connection_s_headers():
    given = [("Transfer-Encoding", "chunked"), ("Keep-Alive", "timeout=5"), ("Date", "now"), ("Set-Cookie", "a"), ("Set-Cookie", "b")]
    assert response_headers(given) == [("Set-Cookie", "a"), ("Set-Cookie", "b")]
