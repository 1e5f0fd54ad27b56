#!/usr/bin/env python3
"""How long reads of the daemon's interface take: 64 clients on events and 1,000 reads a second, beside a running job.

Arrivals have fixed times and a read is timed from its arrival, so that a stall counts for every read that it delays.
Standard library only. Prints one JSON object; `p99_ms` is the figure.

Usage: http-load.py FETTLE MODEL [--seconds 20] [--rate 1000] [--clients 64]   (MODEL: one whose tuning takes longer)
"""
import argparse
import asyncio
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

PATHS = ["/v1/jobs", "/v1/jobs/1", "/v1/bundles", "/v1/models", "/v1/profiles", "/healthz"]


class Reader(asyncio.Protocol):
    """One connection that asks again and again; answers have a length."""

    def __init__(self, host, free, times):
        self.host, self.free, self.times, self.pending, self.arrived = host, free, times, b"", None

    def connection_made(self, transport):
        self.transport = transport
        self.free.append(self)

    def ask(self, path, arrived):
        self.arrived = arrived
        self.transport.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())

    def data_received(self, data):
        self.pending += data
        head, mark, body = self.pending.partition(b"\r\n\r\n")
        if not mark:
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) < length:
            return
        self.pending = b""
        self.times.append((time.perf_counter() - self.arrived, head[9:12] == b"200"))
        self.free.append(self)


async def listen(host, port, events):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET /v1/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    try:
        while line := await reader.readline():
            events.append(line.startswith(b"event: job"))
    finally:
        writer.close()


async def load(host, port, seconds, rate, clients):
    loop = asyncio.get_running_loop()
    events, free, times = [], [], []
    listeners = [asyncio.create_task(listen(host, port, events)) for _ in range(clients)]
    for _ in range(64):
        await loop.create_connection(lambda: Reader(host, free, times), host, port)
    await asyncio.sleep(0.5)
    began, sent, late = time.perf_counter(), 0, 0
    while sent < seconds * rate:
        now = time.perf_counter()
        while sent < seconds * rate and began + sent / rate <= now:
            if not free:
                late += 1
                break
            free.pop(0).ask(PATHS[sent % len(PATHS)], began + sent / rate)
            sent += 1
        await asyncio.sleep(0.001)
    await asyncio.sleep(1)
    for task in listeners:
        task.cancel()
    ordered = sorted(seconds for seconds, _ in times)
    pick = lambda share: round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)
    return {"reads": len(times), "failed": sum(not good for _, good in times), "unanswered": sent - len(times),
            "reads_per_second": round(len(times) / (time.perf_counter() - began - 1), 1), "p50_ms": pick(0.5),
            "p99_ms": pick(0.99), "max_ms": pick(1), "event_clients": clients, "events_received": sum(events)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fettle")
    parser.add_argument("model")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fettle-load-") as directory:
        folder = pathlib.Path(directory)
        (folder / "models").mkdir()
        os.symlink(os.path.realpath(options.model), folder / "models" / pathlib.Path(options.model).name)
        (folder / "fettle.yaml").write_text(
            "models: models\nbundles: bundles\nstate: state\nprofiles: [demo-handheld]\nsettle: 0 s\nthreads: 1\n"
            "http: {listen: 127.0.0.1:0}\n")
        process = subprocess.Popen(
            [options.fettle, "daemon", "--config", str(folder / "fettle.yaml")], stderr=open(folder / "log", "wb"))
        try:
            address = folder / "state/http-address"
            end = time.monotonic() + 120
            url = ""
            while time.monotonic() < end and process.poll() is None:
                url = url or (address.exists() and address.read_text().strip())
                if url and '"running"' in subprocess.run(
                        [options.fettle, "status", "--url", url, "--json", "--state", "running"],
                        capture_output=True, text=True).stdout.replace('"running":', ""):
                    break
                time.sleep(0.2)
            else:
                raise SystemExit((folder / "log").read_text() + "no job runs")
            host, port = url.removeprefix("http://").split(":")
            print(json.dumps(asyncio.run(load(host, int(port), options.seconds, options.rate, options.clients))))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


main()
