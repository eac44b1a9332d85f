"""Mutation testing: change the code in many places, one at a time, and see whether the short tier catches it.

From the checkout, ``PYTHONPATH=tests python -m mutation --count 200``.  A copy of the checkout is changed, in a folder
of build; `mutation.places` says where and how, `mutation.scratch` what is built, `mutation.suite` which tests are run.
The results are lines of JSON.  A change that survives is a missing test, or it is equivalent and stands in
equivalent.toml with the reason.
"""

import argparse
import json
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mutation.places import Place, places, plan
from mutation.scratch import WHOLE, NotCompiled, NothingChanged, Scratch
from mutation.suite import Suite, Verdict

CHECKOUT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
Record = dict[str, Any]


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        "mutation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="of the choice of places (default: 1)")
    parser.add_argument("--count", type=int, default=200, help="how many places, of all languages (default: 200)")
    parser.add_argument("--languages", nargs="+", default=["C", "Cython", "Python"], help="only these of the plan")
    parser.add_argument("--parts", nargs="+", help="only these folders of the plan, such as runtime")
    parser.add_argument("--only", nargs="+", metavar="ID", help='only these of the results, again; or "survived"')
    parser.add_argument("--resume", action="store_true", help="keep the results that there are, and go on")
    parser.add_argument("--whole", action="store_true", help="ask the whole short tier before a change survives")
    parser.add_argument("--summary", action="store_true", help="only print what the results say")
    folder = CHECKOUT / "build/mutation"
    parser.add_argument("--folder", type=Path, default=folder, help="where to work (default: build/mutation)")
    parser.add_argument("--results", type=Path, help="(default: results.jsonl in the folder)")
    parser.add_argument(
        "--profile", type=Path, help="times and lines of the tests (default: profile.json in the folder)"
    )
    given = parser.parse_args()
    given.folder = given.folder.resolve()
    given.results = given.results or given.folder / "results.jsonl"
    given.profile = (given.profile or given.folder / "profile.json").resolve()
    return given


def read(results: Path) -> dict[str, Record]:
    """The results by id, the last of each."""
    lines = results.read_text().splitlines() if results.exists() else []
    found: dict[str, Record] = {}
    for record in map(json.loads, lines):
        before = found.get(record["id"])
        if (before and before["outcome"] == "survived") or (before and before.get("survived_before")):
            record["survived_before"] = True
        found[record["id"]] = record
    return found


def judge(place: Place, scratch: Scratch, suite: Suite) -> Record:
    """Change a place, run the tests, and change it back."""
    start = time.perf_counter()
    outcome, by = "survived", ""
    try:
        target = scratch.change(place)
        for stage in suite.stages(place):
            while (found := ask(stage, target, scratch, suite)).outcome == "passed" and scratch.later:
                try:
                    scratch.complete()
                except NothingChanged:
                    break
            if found.outcome != "passed":
                outcome, by = {"failed": "caught"}.get(found.outcome, found.outcome), found.by
                break
    except NotCompiled as error:
        outcome, by = ("caught", "the build") if place.language == "Python" else ("not compiled", str(error)[-300:])
    except NothingChanged:
        outcome = "same code"
    finally:
        scratch.restore()
    record = {"id": place.id, **asdict(place), "outcome": outcome, "by": by}
    return {**record, "seconds": round(time.perf_counter() - start, 1)}


def ask(names: list[str], target: str, scratch: Scratch, suite: Suite) -> Verdict:
    """Run tests, without those that do not pass, or not in time, with the unchanged build either."""
    while True:
        names = [name for name in names if suite.may_ask(name, target)]
        verdict = suite.run(names)
        if verdict.outcome == "passed" or verdict.by not in suite.tests:
            return verdict
        if target == WHOLE and suite.tests[verdict.by]["passed"] and verdict.outcome == "failed":
            return verdict
        with scratch.unchanged_build(target):
            sound = suite.is_sound(verdict.by, target)
        if sound:
            return verdict


def wanted(given: argparse.Namespace, suite: Suite, found: dict[str, Record]) -> Iterator[Place]:
    """The places to judge; `found` grows meanwhile."""
    if given.only:
        for record in list(found.values()):
            again = record["id"] in given.only or ("survived" in given.only and record["outcome"] == "survived")
            if again and record["language"] in given.languages:
                yield find(record)
        return
    for (language, part), (count, drawn) in plan(places(CHECKOUT), given.count, given.seed).items():
        if language not in given.languages or (given.parts and part not in given.parts):
            continue
        tried = 0
        for place in drawn:
            if tried == count:
                break
            if place.folder == "adapters" and not suite.is_executed(place):
                continue
            if place.id not in found:
                yield place
            tried += found[place.id]["outcome"] not in ("not compiled", "same code")


def find(record: Record) -> Place:
    """The place of a result, wherever it is in its file now."""
    for place in places(CHECKOUT):
        if all(asdict(place)[name] == record[name] for name in ("path", "before", "after", "kind")):
            return place
    raise SystemExit(f"{record['id']} is no longer there")


def equivalents() -> dict[tuple[str, str, str], str]:
    """Why changes are equivalent, by file, line and changed line."""
    listed = tomllib.loads(EQUIVALENT.read_text())["equivalent"] if EQUIVALENT.exists() else []
    return {(each["path"], each["before"], each["after"]): each["reason"] for each in listed}


def summary(found: dict[str, Record]) -> str:
    """What became of the changes, by language."""
    known = equivalents()
    counts: dict[str, Counter[str]] = {language: Counter() for language in ("C", "Cython", "Python", "all")}
    survivors = []
    for record in found.values():
        outcome = record["outcome"]
        if outcome == "survived" and (record["path"], record["before"], record["after"]) in known:
            outcome = "equivalent"
        elif outcome == "survived":
            survivors.append(f"  {record['id']}  {record['before']}  ->  {record['after']}")
        for language in (record["language"], "all"):
            counts[language][outcome] += 1
            counts[language]["tried"] += outcome not in ("not compiled", "same code")
            counts[language]["new"] += outcome in ("caught", "timeout") and record.get("survived_before", False)
    columns = ("tried", "caught", "timeout", "equivalent", "survived", "new", "dead code", "not compiled", "same code")
    rows = [f"{'':8}" + "".join(f"{name:>14}" for name in columns)]
    rows += [f"{language:8}" + "".join(f"{each[name]:14}" for name in columns) for language, each in counts.items()]
    return "\n".join([*rows, *survivors])


def main() -> None:
    """Judge the places of the plan."""
    given = arguments()
    given.folder.mkdir(parents=True, exist_ok=True)
    if not (given.resume or given.only or given.summary):
        given.results.unlink(missing_ok=True)
    found = read(given.results)
    if not given.summary:
        scratch = Scratch(CHECKOUT, given.folder / "scratch", keep=given.resume or bool(given.only))
        suite = Suite(scratch.root, given.profile, given.whole)
        for place in wanted(given, suite, found):
            record = judge(place, scratch, suite)
            with given.results.open("a") as file:
                print(json.dumps(record), file=file)
            found = read(given.results) if given.only else found
            found[place.id] = record
            print(f"{record['outcome']:12} {record['seconds']:6} s  {place.id}  {record['by'][:100]}", flush=True)
        found = read(given.results)
    print(summary(found))


if __name__ == "__main__":
    main()
