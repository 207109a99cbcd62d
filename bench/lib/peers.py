"""How each server is configured: for the cache measurement and for the relay. Every peer has one worker and no
access log, and is otherwise set up for speed; ours keeps its access log, to a file.

A function here starts one server in `stack` and returns it; `origin` is the port behind it.
"""

import json
import os

from . import tokens
from .lab import Server
from .process import Process, free_port, free_ports

PATH = "/bench/object-1k.bin"  # what the cache measurement asks for


def _write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def _start(lab, stack, name, argv, port, folder, **kwargs):
    process = Process(argv, core=lab.server_core, log=os.path.join(folder, "output.log"), cwd=folder, **kwargs)
    stack.enter_context(process)
    process.wait_for_port(port)
    return Server(name, process, port)


# ---- ours

def sekisho(lab, stack, name, origin, key=None, cache=True, unprivileged=False, env=None, more=None):
    """`more`: blocks of the configuration beside those that all have."""
    folder, (port, admin) = lab.folder(name), free_ports(2)
    log = os.path.join(folder, "access.log")
    route = {"path": "/", "origin": "origin"}
    if not cache:
        route["cache"] = "off"
    config = {
        "listen": f"127.0.0.1:{port}",
        "workers": 1,
        "admin": {"listen": f"127.0.0.1:{admin}"},
        "origins": {"origin": {"type": "http", "url": f"http://127.0.0.1:{origin}"}},
        "log": {"access": {"output": log}},
        "routes": [route],
        **(more or {}),
    }
    if key:
        config["identities"] = {"bench": {
            "type": "jwt", "issuer": tokens.ISSUER, "audience": tokens.AUDIENCE, "algorithms": [key.algorithm],
            "keys": [{"file": key.key_file, "kid": "bench"}]}}
        route["identity"] = "bench"
    # All come from one address here, which otherwise has a quarter of the places.
    config["limits"] = {"connections_per_address": 1_000_000} | config.get("limits", {})
    path = _write(folder, "sekisho.yaml", json.dumps(config, indent=2))  # JSON is YAML
    server = _start(lab, stack, name, [lab.program("sekisho"), "serve", "-c", path], port, folder,
                    unprivileged=unprivileged, env=env)
    server.access_log, server.admin = log, admin
    if key:
        server.headers = ["Authorization: Bearer " + key.token()]
    return server


# ---- the floor

def floor(lab, stack, request, reply, headers):
    folder, port = lab.folder("floor"), free_port()
    paths = []
    for name, data in (("request", request), ("reply", reply)):
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "wb") as f:
            f.write(data)
    server = _start(lab, stack, "floor", [lab.program("bench_floor"), str(port), *paths], port, folder)
    server.headers = headers
    return server


# ---- nginx

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 16384; }}
http {{
  access_log off; sendfile off; tcp_nodelay on;
  keepalive_timeout 600s; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s; proxy_temp_path {folder}/proxy;
  proxy_http_version 1.1; proxy_set_header Connection "";
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; }}
  {http}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://origin; {location} }}
  }}
}}
"""


def _nginx(lab, stack, name, origin, http, location):
    folder, port = lab.folder(name), free_port()
    user = "user root;" if os.getuid() == 0 else ""
    text = NGINX.format(folder=folder, port=port, origin=origin, user=user, http=http.format(folder=folder),
                        location=location)
    path = _write(folder, "nginx.conf", text)
    return _start(lab, stack, name, [lab.program("nginx"), "-p", folder, "-c", path], port, folder)


def nginx_cache(lab, stack, origin):
    return _nginx(lab, stack, "nginx", origin,
                  "proxy_cache_path {folder}/cache keys_zone=bench:10m max_size=256m inactive=1d;"
                  "open_file_cache max=1000 inactive=1d; open_file_cache_valid 1d; open_file_cache_errors on;",
                  "proxy_cache bench;")


def nginx_buffered(lab, stack, origin):
    """As it ships."""
    return _nginx(lab, stack, "nginx-buffered", origin, "", "proxy_buffering on;")


def nginx_unbuffered(lab, stack, origin):
    return _nginx(lab, stack, "nginx-unbuffered", origin, "", "proxy_buffering off;")


def nginx_tuned(lab, stack, origin):
    """Buffers far above what it ships with, never a file."""
    return _nginx(lab, stack, "nginx-tuned", origin, "",
                  "proxy_buffers 8 256k; proxy_buffer_size 16k; proxy_busy_buffers_size 512k;"
                  "proxy_max_temp_file_size 0;")


# ---- HAProxy

HAPROXY = """
global
  nbthread 1
  maxconn 4096
  {tune}
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
  http-reuse always
  option splice-response
{cache}
frontend bench
  bind 127.0.0.1:{port}
  {front}
  default_backend origin
backend origin
  {back}
  server origin 127.0.0.1:{origin}
"""


def _haproxy(lab, stack, origin, **parts):
    folder, port = lab.folder("haproxy"), free_port()
    path = _write(folder, "haproxy.cfg", HAPROXY.format(port=port, origin=origin, **parts))
    return _start(lab, stack, "haproxy", [lab.program("haproxy"), "-db", "-f", path], port, folder)


def haproxy_cache(lab, stack, origin):
    return _haproxy(lab, stack, origin, tune="",
                    cache="cache bench\n  total-max-size 64\n  max-object-size 65536\n  max-age 86400",
                    front="http-request cache-use bench", back="http-response cache-store bench")


def haproxy_relay(lab, stack, origin):
    return _haproxy(lab, stack, origin, tune="tune.pipesize 262144", cache="", front="", back="")


# ---- Varnish

def varnish_cache(lab, stack, origin):
    folder, port = lab.folder("varnish"), free_port()
    vcl = _write(folder, "bench.vcl",
                 f'vcl 4.1;\nbackend default {{ .host = "127.0.0.1"; .port = "{origin}"; }}\n')
    argv = [lab.program("varnishd"), "-F", "-n", os.path.join(folder, "work"), "-a", f"127.0.0.1:{port}",
            "-f", vcl, "-s", "malloc,64m", "-p", "timeout_idle=600"]
    if os.getuid() == 0:
        argv[1:1] = ["-j", "none"]
    return _start(lab, stack, "varnish", argv, port, folder)


# ---- Envoy

def _envoy(lab, stack, name, origin, filters):
    folder, port = lab.folder(name), free_port()
    router = {"name": "envoy.filters.http.router", "typed_config": {"@type": _type("http.router.v3.Router")}}
    manager = {
        "@type": _type("network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "bench", "generate_request_id": False,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}]}]},
        "http_filters": [*filters, router]}
    config = {"static_resources": {
        "listeners": [{
            "address": _address(port),
            "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
        "clusters": [{
            "name": "origin", "type": "STATIC", "connect_timeout": "5s",
            "load_assignment": {"cluster_name": "origin", "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": _address(origin)}}]}]}}]}}
    path = _write(folder, "envoy.json", json.dumps(config, indent=2))
    argv = [lab.program("envoy"), "--concurrency", "1", "-l", "error", "--disable-hot-restart", "-c", path]
    return _start(lab, stack, name, argv, port, folder)


def _type(name):
    return "type.googleapis.com/envoy.extensions.filters." + name


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def envoy_cache(lab, stack, origin, key, remember=False):
    """As its manual shows it, Envoy verifies each token anew; with jwt_cache_config it remembers them."""
    name = "envoy-remembering" if remember else "envoy"
    provider = {"issuer": tokens.ISSUER, "audiences": [tokens.AUDIENCE], "local_jwks": {"inline_string": key.jwks()}}
    if remember:
        provider["jwt_cache_config"] = {"jwt_cache_size": 100}
    filters = [
        {"name": "envoy.filters.http.jwt_authn", "typed_config": {
            "@type": _type("http.jwt_authn.v3.JwtAuthentication"), "providers": {"bench": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "bench"}}]}},
        {"name": "envoy.filters.http.cache", "typed_config": {
            "@type": _type("http.cache.v3.CacheConfig"),
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.http.cache."
                                      "simple_http_cache.v3.SimpleHttpCacheConfig"}}}]
    server = _envoy(lab, stack, name, origin, filters)
    server.headers = ["Authorization: Bearer " + key.token()]
    return server


def envoy_relay(lab, stack, origin):
    return _envoy(lab, stack, "envoy", origin, [])
