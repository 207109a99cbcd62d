"""The two configurations that most scenarios begin with; `|` adds what a scenario is about."""


def site(folder, **route) -> dict:
    """A folder at /; `route` adds keys to its route."""
    return {"origins": {"site": {"type": "dir", "path": str(folder)}},
            "routes": [{"path": "/", "origin": "site"} | route]}


def app(origin, **route) -> dict:
    """An HTTP origin at /."""
    return {"origins": {"app": {"type": "http", "url": origin.url}},
            "routes": [{"path": "/", "origin": "app"} | route]}


# A test may fail as often as it likes, from one address.
UNLIMITED = {"limits": {"failures": "off"}}
