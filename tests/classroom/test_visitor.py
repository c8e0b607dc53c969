"""A simulated participant against a small stand-in for a hub, over real HTTP."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from tornado import web, websocket
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from classroom import load
from classroom.visitor import Visitor

CELLS = ["1 + 1", "1 / 0", "slow()", "die()"]


class Hub(web.RequestHandler):
    """Login form, server that needs two requests to be ready, contents, sessions."""

    def initialize(self, state):
        self.state = state

    def prepare(self):
        path = self.request.path
        if path != "/hub/login" and self.get_cookie("login") != "an":
            self.redirect("/hub/login")

    def get(self):
        path = self.request.path
        if path == "/hub/login":
            self.set_cookie("_xsrf", "form", path="/hub/")
        elif path.startswith("/hub/spawn"):
            self.set_cookie("_xsrf", "server", path="/user/an/")
        elif "/lab/" in path:
            self.state.waits -= 1
            if self.state.waits > 0:
                self.set_status(503)
        elif "/contents/" in path:
            if not path.endswith(".ipynb"):
                raise web.HTTPError(404)
            cells = [{"cell_type": "code", "source": source} for source in CELLS]
            cells.insert(1, {"cell_type": "markdown", "source": "text"})
            self.finish({"content": {"cells": cells}})

    def post(self):
        if self.request.path == "/hub/login":
            given = [self.get_argument(x) for x in ("username", "password", "_xsrf")]
            if given == ["an", "word", "form"]:
                self.set_cookie("login", "an")
                self.redirect("/hub/home")
        elif self.request.path == "/user/an/api/sessions":
            if self.request.headers["X-XSRFToken"] != "server":
                raise web.HTTPError(403)
            self.set_status(201)
            self.finish({"kernel": {"id": "k1"}})

    def delete(self):
        self.state.left.append(self.request.path)


class Kernel(websocket.WebSocketHandler):
    """A kernel that answers with what its cell is about."""

    def on_message(self, raw):
        parent = json.loads(raw)["header"]

        def say(kind, **content):
            message = {"msg_type": kind, "content": content, "parent_header": parent}
            self.write_message(json.dumps(message))

        source = json.loads(raw)["content"]["code"]
        say("status", execution_state="busy")
        self.write_message(b"a picture", binary=True)
        if source == "1 + 1":
            say("stream", text="2\n")
        elif source == "1 / 0":
            say("error", ename="ZeroDivisionError", evalue="division by zero")
        elif source == "die()":
            say("status", execution_state="restarting")
            return
        say("status", execution_state="idle")  # the reply may come after it
        say("execute_reply", status="ok")


def at_the_hub(work, waits=2):
    """Run ``work(visitor, state)`` beside the stand-in; returns its result."""
    state = SimpleNamespace(waits=waits, left=[])

    async def both():
        socket, port = bind_unused_port()
        routes = [(r".*/channels", Kernel), (r".*", Hub, {"state": state})]
        server = HTTPServer(web.Application(routes))
        server.add_sockets([socket])
        try:
            address = f"http://127.0.0.1:{port}"
            return await work(Visitor(address, "an", "word"), state)
        finally:
            server.stop()

    return asyncio.run(both())


def test_only_the_right_password_comes_in():
    async def work(guest, state):
        other = Visitor(guest.address, "an", "another")
        return await guest.log_in(), await other.log_in()

    assert at_the_hub(work) == (True, False)


def test_from_the_login_to_the_last_cell():
    async def work(guest, state):
        await guest.log_in()
        await guest.start_server()
        cells = await guest.open("my_notebooks/01.ipynb")
        answers = [await guest.run(cell) for cell in cells]
        await guest.leave()
        return cells, answers, state

    cells, answers, state = at_the_hub(work)
    assert cells == CELLS and state.waits <= 0
    assert [answer.text for answer in answers] == ["2\n", "", "", ""]
    assert [answer.error for answer in answers] == [
        None,
        "ZeroDivisionError: division by zero",
        None,
        "the lab says that the kernel is restarting",
    ]
    assert state.left == ["/user/an/api/kernels/k1", "/hub/api/users/an/server"]


def test_what_goes_wrong_is_reported(monkeypatch):
    monkeypatch.setattr(load, "memory", lambda name: 500.0)
    monkeypatch.setattr(load.os, "geteuid", lambda: 0, raising=False)

    async def work(guest, state):
        other = Visitor(guest.address, "binh", "another")
        return await load.together([guest, other], "my_notebooks/01.ipynb", 2)

    first, second = at_the_hub(work)
    assert first.errors == ["cell 2: ZeroDivisionError: division by zero"]
    assert 0 < first.server <= first.first <= first.end
    assert first.mib == 500 and first.slowest[0] > 0
    assert second.errors == ["PermissionError: binh was not let in"]
    lines = load.report([first, second]).splitlines()
    assert lines[-1] == "errors: 2" and lines[-2].startswith("binh: ")


def test_cards_are_what_users_prints():
    text = "an: blue-lamp\nbinh: was there, the password stays\nnoise\n"
    assert load.cards(text) == [("an", "blue-lamp")]


def test_where_to_stop():
    everything = load.place("04_vae", "")
    assert 0 < load.place("04_vae", "nine-train") < everything
    with pytest.raises(SystemExit, match="04_vae has no code cell nothing"):
        load.place("04_vae", "nothing")
