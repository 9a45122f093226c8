"""Runs the driver with fake servers and a fake load generator. MUXBENCH_BUILD names the build folder to test."""
import json
import os
import pathlib
import subprocess

import jsonschema
import pytest
from support.patience import RUN_PATIENCE, wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MUXBENCH_BUILD", REPOSITORY / "build"))
MUXBENCH = BUILD / "bench" / "muxbench"
HERE = pathlib.Path(__file__).resolve().parent

SMALL = {"name": "small", "question": "Does the driver work?", "protocol": "echo", "transport": "tcp", "method": "trials",
         "load": {"mode": "closed", "message_bytes": 32}, "sweep": {"connections": [1, 4]},
         "warmup": "10ms", "duration": "60ms", "repetitions": 2}
# The same in slices, in as few blocks as there can be.
SLICED = {**SMALL, "method": "slices", "duration": "20ms"}


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
        if good and not cell.get("withheld"):  # a round without an undisturbed slice has no throughput
            rates = sum("requests_per_second" in trial["load"]["achieved"] for trial in good)
            assert cell["summary"]["requests_per_second"]["n"] == rates
            assert rates == len(good) or cell["method"] == "slices"
    names = [b["run_name"].removesuffix("/real_time") for b in report["benchmarks"]]
    assert set(names) == {trial["cell"] for trial in ours["trials"] if trial["status"] == "ok"
                          and "mean" in trial["load"]["latency_ns"] and "cpu_ns_per_request" in trial["server"]
                          and not cells[trial["cell"]].get("withheld")}
    for trial in ours["trials"] + ours["twin_trials"]:
        check_slices(trial)
    return report


def check_slices(trial):
    """Those of a round, if it is one: a line for each, and together what the round says."""
    assert ("slices" in trial) == (trial.get("method") == "slices")
    if "slices" not in trial:
        return
    columns = {name: values for name, values in trial["slices"].items() if isinstance(values, list)}
    assert len({len(values) for values in columns.values()}) == 1, columns
    assert columns["block"] == sorted(set(columns["block"]))
    assert set(columns["disturbed"]) <= {0, 1}
    if trial["status"] != "ok":
        return
    undisturbed = [requests for requests, disturbed in zip(columns["requests"], columns["disturbed"]) if not disturbed]
    load, cpu = trial["load"], trial["server"]["cpu"]["total_ns"]
    assert load["requests"] == sum(undisturbed)
    assert ("requests_per_second" in load["achieved"]) == bool(undisturbed)
    assert load["requests_in_run"] == sum(columns["requests_in_run"])
    assert cpu == sum(columns["server_cpu_ns"])
    assert trial["server"]["cpu_ns_per_request"] == pytest.approx(cpu / load["requests_in_run"])


# Other tests may measure at the same time.
SHARED = ("--share-machine",)
# Nothing but the trials and their report, and no link to it among the results of this checkout.
TRIALS_ALONE = (*SHARED, "--no-micro", "--no-charts", "--results-dir", "results")


class Bench:
    """A folder with servers, experiments and a place for results. Its runs are trials alone, unless told otherwise."""

    def __init__(self, folder):
        self.folder = folder
        self.servers = folder / "servers"
        self.experiments = folder / "experiments"
        self.out = folder / "out"
        self.servers.mkdir()
        self.experiments.mkdir()
        self.loadgen = HERE / "fake_loadgen.py"
        self.experiment(SMALL)

    def server(self, *names):
        for name in names:
            (self.servers / f"server_{name}").symlink_to(HERE / "fake_server.py")

    def real(self, *names):
        """Servers of this build, under its load generator; both are called by paths in this folder."""
        programs = {self.servers / f"server_{name}": BUILD / "servers" / f"server_{name}" for name in names}
        self.loadgen = self.folder / "loadgen"
        for link, program in (programs | {self.loadgen: BUILD / "loadgen" / "loadgen"}).items():
            if not program.exists():
                pytest.skip(f"environment: this build has no {program.name}")
            link.symlink_to(program)

    def experiment(self, content, name="small"):
        text = content if isinstance(content, str) else json.dumps(content)
        (self.experiments / f"{name}.json").write_text(text)

    def command(self, *words, out=True, parts=TRIALS_ALONE):
        options = ["--servers-dir", str(self.servers), "--experiments-dir", str(self.experiments),
                   "--loadgen", str(self.loadgen), *parts]
        if out:
            options += ["--out", str(self.out)]
        return [str(MUXBENCH), "run", "--share-cpus", "--profile", "quick", *options, *words]

    def run(self, *words, prefix=(), **keywords):
        command = self.command(*words, out=keywords.pop("out", True), parts=keywords.pop("parts", TRIALS_ALONE))
        return subprocess.run([*prefix, *command], capture_output=True, text=True,
                              timeout=RUN_PATIENCE, cwd=self.folder, **keywords)

    def start(self, *words):
        """The same in the background, with its scratch folder in this one."""
        return subprocess.Popen(self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder,
                                env={**os.environ, "TMPDIR": str(self.folder)})

    def wait_for(self, word, count):
        """Until so many processes with that word in their command were seen, one after the other or at a time."""
        seen = set()

        def enough():
            seen.update(pid for pid, command in self.processes_left() if word in command.split())
            return len(seen) >= count

        wait_until(enough, lambda: f"{len(seen)} processes with {word} were started, expected {count}")
        return seen

    def report(self):
        return check_report(self.out / "report.json")

    def cells_of(self, model):
        return [cell for cell in self.report()["muxbench"]["cells"] if cell["model"] == model]

    def processes_left(self):
        """Processes that were started by a path in this folder, as its servers are."""
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
