"""What the load generators are pointed at: nginx on one core, answering every request with the same two bytes and
counting them, so that nobody has to believe what a generator says of itself."""

import contextlib
import http.client
import os

from .process import Process, free_port

BODY = "ok"
CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 16384; }}
http {{
  access_log off; tcp_nodelay on; keepalive_timeout 600s; keepalive_requests 1000000000;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type text/plain; return 200 "{body}"; }}
    location = /count {{ stub_status; }}
  }}
}}
"""


class Target:
    def __init__(self, lab, stack):
        folder, self.port = lab.folder("target"), free_port()
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w") as f:
            f.write(CONFIG.format(folder=folder, port=self.port, body=BODY,
                                  user="user root;" if os.getuid() == 0 else ""))
        self.process = stack.enter_context(Process(
            [lab.program("nginx"), "-p", folder, "-c", path], core=lab.server_core,
            log=os.path.join(folder, "output.log"), cwd=folder))
        self.process.wait_for_port(self.port)
        self._asked = 0
        self.url = f"http://127.0.0.1:{self.port}/"

    def count(self):
        """Requests answered so far, but for those of this kind."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as c:
            c.request("GET", "/count")
            requests = int(c.getresponse().read().split(b"\n")[2].split()[2])
        self._asked += 1
        return requests - self._asked
