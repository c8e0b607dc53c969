"""A participant without a browser: logs in, opens a notebook, runs its cells.

Everything goes through the hub's own address, by HTTP and websocket, as JupyterLab does
it: the login form with its token against forged requests, the start of the server, a
session with a kernel, a message for each cell.
"""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import CookieJar
from types import SimpleNamespace
from urllib.parse import urlencode, urljoin
from urllib.request import Request

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

PATIENCE = 1800.0  # seconds for one request or one cell
MOVED = (301, 302, 303, 307, 308)


@dataclass
class Answer:
    """What a cell gave: its text, and its error as ``Name: words`` (or None)."""

    text: str = ""
    error: str | None = None
    seconds: float = 0.0


@dataclass
class Visitor:
    """One participant; ``address`` is the hub's, such as ``http://127.0.0.1:8000``."""

    address: str
    name: str
    password: str
    cookies: CookieJar = field(default_factory=CookieJar)
    kernel: str = ""
    socket: WebSocketClientConnection | None = None

    @property
    def home(self) -> str:
        """The address of this participant's server."""
        return f"{self.address}/user/{self.name}/"

    async def ask(
        self, method: str, url: str, body=None, follow=True, patience=PATIENCE
    ) -> HTTPResponse:
        """A request with the cookies so far; redirections are followed by hand.

        ``patience`` is how many seconds to wait for an answer.
        """
        for _ in range(20):
            request = Request(url)
            self.cookies.add_cookie_header(request)
            headers = dict(request.header_items())
            headers["X-XSRFToken"] = self._token(url)
            given = json.dumps(body) if isinstance(body, dict) else body
            if method == "POST" and given is None:
                given = ""
            wish = HTTPRequest(
                url,
                method,
                headers,
                given,
                request_timeout=patience,
                follow_redirects=False,
                validate_cert=False,
            )
            answer = await AsyncHTTPClient().fetch(wish, raise_error=False)
            self._remember(answer, request)
            if not follow or answer.code not in MOVED:
                return answer
            method, body = "GET", None
            url = urljoin(url, answer.headers["Location"])
        raise ConnectionError(f"{self.name}: too many redirections at {url}")

    def _remember(self, answer: HTTPResponse, request: Request) -> None:
        headers = Message()
        for value in answer.headers.get_list("Set-Cookie"):
            headers["Set-Cookie"] = value
        self.cookies.extract_cookies(SimpleNamespace(info=lambda: headers), request)

    def _token(self, url: str) -> str:
        """The cookie ``_xsrf`` of this address: that of the longest path."""
        path = "/" + url.split("/", 3)[3]
        own = [c for c in self.cookies if c.name == "_xsrf" and path.startswith(c.path)]
        return max(own, key=lambda cookie: len(cookie.path)).value if own else ""

    async def knock(self) -> HTTPResponse:
        """Fill in the login form; returns the hub's answer."""
        form = f"{self.address}/hub/login"
        await self.ask("GET", form)
        fields = {"username": self.name, "password": self.password}
        fields["_xsrf"] = self._token(form)
        return await self.ask("POST", form, urlencode(fields), follow=False)

    async def log_in(self) -> bool:
        """Whether the hub lets this participant in."""
        return (await self.knock()).code in MOVED

    async def start_server(self) -> None:
        """Ask for the server, and wait until it answers."""
        answer = await self.ask("GET", f"{self.address}/hub/spawn/{self.name}")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = await self.ask("GET", f"{self.home}lab/tree/my_notebooks")
            if answer.code == 200 and answer.effective_url.startswith(self.home):
                return
            if answer.code in (403, 429, 500):
                raise ConnectionError(f"{self.name}: {answer.code} {answer.reason}")
            await asyncio.sleep(1)
        raise TimeoutError(f"{self.name}: no server after {PATIENCE:.0f} s")

    async def open(self, path: str) -> list[str]:
        """Open a notebook and start its kernel; returns the code of its cells."""
        answer = await self.ask("GET", f"{self.home}api/contents/{path}")
        if answer.code != 200:
            raise FileNotFoundError(f"{self.name}: {answer.code} at {path}")
        cells = json.loads(answer.body)["content"]["cells"]
        wish = {"path": path, "name": path, "type": "notebook"}
        wish["kernel"] = {"name": "python3"}
        answer = await self.ask("POST", f"{self.home}api/sessions", wish)
        if answer.code != 201:
            raise ConnectionError(f"{self.name}: no kernel: {answer.body.decode()}")
        self.kernel = json.loads(answer.body)["kernel"]["id"]
        await self.connect()
        return ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]

    async def connect(self) -> None:
        """Open the websocket to the kernel."""
        url = f"{self.home}api/kernels/{self.kernel}/channels?session_id={self.name}"
        request = Request(url)
        self.cookies.add_cookie_header(request)
        headers = dict(request.header_items()) | {"Origin": self.address}
        wish = HTTPRequest(
            url.replace("http", "ws", 1),
            headers=headers,
            connect_timeout=PATIENCE,
            request_timeout=PATIENCE,
            validate_cert=False,
        )
        self.socket = await websocket_connect(wish, max_message_size=2**28)

    async def run(self, source: str) -> Answer:
        """Run a cell in the kernel, and wait until the kernel is idle again."""
        number, began = uuid.uuid4().hex, time.monotonic()
        header = {"msg_id": number, "msg_type": "execute_request", "version": "5.3"}
        header |= {"username": self.name, "session": self.name, "date": ""}
        content = {"code": source, "silent": False, "store_history": True}
        content |= {"user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
        message = {"header": header, "parent_header": {}, "metadata": {}}
        message |= {"content": content, "channel": "shell", "buffers": []}
        await self.socket.write_message(json.dumps(message))
        answer, idle, replied = Answer(), False, False
        while not (idle and replied):
            wait = self.socket.read_message()
            raw = await asyncio.wait_for(wait, PATIENCE)
            if raw is None:
                raise ConnectionError(f"{self.name}: the websocket was closed")
            if isinstance(raw, bytes):  # with buffers, such as a widget's picture
                continue
            reply = json.loads(raw)
            kind, content = reply["msg_type"], reply["content"]
            state = content.get("execution_state")
            if state in ("restarting", "dead", "autorestarting"):
                answer.error = f"the lab says that the kernel is {state}"
                break
            if reply["parent_header"].get("msg_id") != number:
                continue
            idle = idle or state == "idle"
            replied = replied or kind == "execute_reply"
            if kind == "stream":
                answer.text += content["text"]
            elif kind == "error":
                answer.error = f"{content['ename']}: {content['evalue']}"
        answer.seconds = time.monotonic() - began
        return answer

    async def leave(self) -> None:
        """Stop the kernel and the server, as an orderly participant does."""
        if self.socket:
            self.socket.close()
        await self.ask("DELETE", f"{self.home}api/kernels/{self.kernel}")
        url = f"{self.address}/hub/api/users/{self.name}/server"
        await self.ask("DELETE", url)
