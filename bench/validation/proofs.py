"""What the scripts that prove claims share: they print what was measured beside what is claimed, and say whether it holds."""

import argparse
import os
import pathlib

BUILD = pathlib.Path(os.environ.get("MUXBENCH_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
_all_hold = True


def judge(what, measured, claimed, holds):
    global _all_hold
    _all_hold = _all_hold and holds
    print(f"{what}: {measured} (claimed: {claimed}): {'ok' if holds else 'NOT MET'}", flush=True)


def all_hold():
    return _all_hold


def run_chosen(description, proofs):
    """Runs the proofs (functions) that the command line names, or all; the exit status to end with."""
    by_name = {proof.__name__: proof for proof in proofs}
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help=", ".join(by_name))
    chosen = parser.parse_args().proofs or list(by_name)
    if unknown := [name for name in chosen if name not in by_name]:
        parser.error(f"no proof is called {unknown[0]}; there are {', '.join(by_name)}")
    for name in chosen:
        by_name[name]()
    return 0 if _all_hold else 1
