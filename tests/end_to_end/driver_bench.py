"""Runs the driver with fake servers and a fake load generator. MUXBENCH_BUILD names the build folder to test."""
import json
import os
import pathlib
import subprocess

import jsonschema
import pytest
from support.patience import RUN_PATIENCE

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MUXBENCH_BUILD", REPOSITORY / "build"))
MUXBENCH = BUILD / "bench" / "muxbench"
HERE = pathlib.Path(__file__).resolve().parent

SMALL = {"name": "small", "question": "Does the driver work?", "protocol": "echo", "transport": "tcp",
         "load": {"mode": "closed", "message_bytes": 32}, "sweep": {"connections": [1, 4]},
         "warmup": "10ms", "duration": "60ms", "repetitions": 2}


def check_report(path):
    """The report at `path`, valid by the schema and by the rules that a schema cannot say."""
    text = path.read_text()
    assert "NaN" not in text and "Infinity" not in text
    report = json.loads(text)
    schema = json.loads((REPOSITORY / "results" / "schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(report)
    ours = report["muxbench"]
    cells = {cell["id"]: cell for cell in ours["cells"]}
    assert len(cells) == len(ours["cells"])
    for trial in ours["trials"]:
        assert trial["cell"] in cells
    for cell in ours["cells"]:
        good = [t for t in ours["trials"] if t["cell"] == cell["id"] and t["status"] == "ok"]
        assert (cell["status"] == "measured") == bool(good)
        if good:
            assert cell["summary"]["requests_per_second"]["n"] == len(good)
    names = [b["run_name"].removesuffix("/real_time") for b in report["benchmarks"]]
    assert set(names) == {trial["cell"] for trial in ours["trials"] if trial["status"] == "ok"
                          and "mean" in trial["load"]["latency_ns"] and "cpu_ns_per_request" in trial["server"]}
    return report


# Nothing but the trials and their report, and no link to it among the results of this checkout.
TRIALS_ALONE = ("--no-micro", "--no-charts", "--results-dir", "results")


class Bench:
    """A folder with servers, experiments and a place for results. Its runs are trials alone, unless told otherwise."""

    def __init__(self, folder):
        self.folder = folder
        self.servers = folder / "servers"
        self.experiments = folder / "experiments"
        self.out = folder / "out"
        self.servers.mkdir()
        self.experiments.mkdir()
        self.experiment(SMALL)

    def server(self, *names):
        for name in names:
            (self.servers / f"server_{name}").symlink_to(HERE / "fake_server.py")

    def experiment(self, content, name="small"):
        text = content if isinstance(content, str) else json.dumps(content)
        (self.experiments / f"{name}.json").write_text(text)

    def command(self, *words, out=True, parts=TRIALS_ALONE):
        options = ["--servers-dir", str(self.servers), "--experiments-dir", str(self.experiments),
                   "--loadgen", str(HERE / "fake_loadgen.py"), *parts]
        if out:
            options += ["--out", str(self.out)]
        return [str(MUXBENCH), "run", "--share-cpus", "--profile", "quick", *options, *words]

    def run(self, *words, prefix=(), **keywords):
        command = self.command(*words, out=keywords.pop("out", True), parts=keywords.pop("parts", TRIALS_ALONE))
        return subprocess.run([*prefix, *command], capture_output=True, text=True,
                              timeout=RUN_PATIENCE, cwd=self.folder, **keywords)

    def report(self):
        return check_report(self.out / "report.json")

    def cells_of(self, model):
        return [cell for cell in self.report()["muxbench"]["cells"] if cell["model"] == model]

    def processes_left(self):
        """Processes that were started from this folder's servers, or the fake load generator against them."""
        left = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if str(self.folder) in command and state != "Z":
                left.append((int(entry.name), command))
        return left


def need_cgroup():
    """A child that left its server's process group is seen, and can be ended, only in the server's cgroup."""
    told = subprocess.run([MUXBENCH, "doctor"], capture_output=True, text=True, timeout=RUN_PATIENCE).stdout
    line, = (line for line in told.splitlines() if "cpu accounting" in line)
    if not line.startswith("ok"):
        pytest.skip("environment: no cgroup can be made here; muxbench doctor says why")


def one_sentence(result):
    """What the driver said went wrong: its last line on standard error, after its name."""
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("muxbench: "), result.stderr
    return line.removeprefix("muxbench: ")
