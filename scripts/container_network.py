"""Makes servers on this machine's loopback reachable from the SAM CLI's containers.

The SAM CLI ignores `--docker-network host`: its containers stay on the engine's bridge, where 127.0.0.1 is the container
itself. Docker Desktop has a name for this machine's loopback. On other engines a relay listens on the bridge's own address,
which only containers of this machine can reach, and forwards connections to the same port of 127.0.0.1."""

import ipaddress
import json
import socket
import socketserver
import subprocess
import threading

DESKTOP_NAME = "host.docker.internal"


def docker(*arguments):
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def bridge_address():
    """Returns this machine's address on the engine's bridge. Older engines omit it: it is the network's first."""
    config = json.loads(docker("network", "inspect", "bridge"))[0]["IPAM"]["Config"][0]
    return config.get("Gateway") or str(next(ipaddress.ip_network(config["Subnet"]).hosts()))


class Relay(socketserver.ThreadingTCPServer):
    """Forwards connections to `address:port` to 127.0.0.1:port."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address, port):
        super().__init__((address, port), Connection)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Connection(socketserver.BaseRequestHandler):
    """One relayed connection."""

    def handle(self):
        port = self.server.server_address[1]
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=copy, args=(server, self.request), daemon=True)
            back.start()
            copy(self.request, server)
            back.join()


def copy(source, target):
    """Copies until the source ends, then ends the target's reading side."""
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()


def open_to_containers(ports):
    """Makes the loopback `ports` reachable from containers; returns the host name or address that they use."""
    if "Docker Desktop" in docker("info", "--format", "{{.OperatingSystem}}"):
        return DESKTOP_NAME
    address = bridge_address()
    for port in ports:
        Relay(address, port)
    return address
