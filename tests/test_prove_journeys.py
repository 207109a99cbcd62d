"""What a user of the load does between two requests: what is sent again, left out, repeated, kept and followed."""
import socket
import struct
import threading

from lib.prove import FAIL, campaign, load, prove

# ---- what is sent again


def test_a_retry_counts_when_it_is_sent(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_once():
        peer, _ = listener.accept()
        listener.close()  # whoever comes again is refused
        peer.recv(4096)
        peer.sendall(b"HTTP/1.1 200 Once\r\nContent-Length: 0\r\n\r\n")
        peer.recv(1)  # what is left unread makes the end a reset
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()

    server = threading.Thread(target=answer_once)
    server.start()
    run = prove(tmp_path, campaign(f"http://127.0.0.1:{listener.getsockname()[1]}",
                                   scenarios={"s": {"resend": True, "steps": [{"get": "/"}, {"get": "/again"}]}},
                                   phases=[load("p", 0.1, rate=10)]))
    server.join()
    assert run.code == FAIL, run
    assert run.counts(step=0) == {"ok": 1} and run.reasons(step=1) == {"refused": 1}
    assert sum(cell["retries"] for cell in run.cells()) == 0
