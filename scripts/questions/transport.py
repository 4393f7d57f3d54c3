"""One HTTP request, as it is: no redirect is followed, no status is an exception."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 35


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict
    text: str

    @property
    def json(self):
        """The body, or None where it is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def whole(self):
        """Status and body in one line."""
        return f"{self.status} {self.text.strip()}"


def request(method, url, headers=None, body=None):
    """Sends a request; a body that is no text goes as JSON. Header values may be lists: one line each."""
    headers = {"user-agent": "ask-real-services", **(headers or {})}
    if body is not None and not isinstance(body, str):
        body = json.dumps(body)
        headers.setdefault("content-type", "application/json")
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target or "/", body=body, headers=headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)
    finally:
        connection.close()
