"""What `make tidy`, `make fuzz` and `make check` may skip, and what they must see: scripts/tidy, scripts/fuzz and
scripts/check-comments in a project of three files, with a clang-tidy and fuzz targets made of a few lines of shell."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lib.gateway import ROOT

# Finds fault with what contains BAD, in the file or in what it includes, and says which files it was given.
TIDY = """#!/bin/bash
if [ "$1" = --version ]; then cat "$(dirname "$0")/version"; exit; fi
for word; do case $word in src/*) file=$word;; --) break;; esac; done
echo "$file" >> "$(dirname "$0")/analysed"
headers=$(sed -n 's/#include "\\(.*\\)"/src\\/\\1/p' "$file")
for header in $headers; do echo ". $PWD/$header" >&2; done
grep -H BAD "$file" $headers && exit 1
exit 0
"""

# Breaks on inputs that contain what the file `poison` says; grows its corpus by one input a run.
FUZZER = """#!/bin/bash
poison=$(cat "$(dirname "$0")/poison" 2>/dev/null)
dirs=()
for word; do case $word in
  -artifact_prefix=*) prefix=${word#*=};;
  -merge=1) merge=1;;
  -*) ;;
  *) dirs+=("$word");;
esac; done
if [ -n "$merge" ]; then cp "${dirs[1]}/"*1 "${dirs[0]}/"; exit 0; fi
for file in $(find "${dirs[@]}" -type f); do
  if [ -n "$poison" ] && grep -q "$poison" "$file"; then [ -z "$prefix" ] || cp "$file" "${prefix}crash-0815"; exit 1; fi
done
[ -d "${dirs[0]}" ] && touch "${dirs[0]}/new-$RANDOM"
echo "stat::number_of_executed_units: 42"
"""


class Project:
    def __init__(self, at: Path, tools: Path, kept: Path):
        self.at, self.tools, self.kept = at, tools, kept
        self.write("src/room/a.cc", '#include "room/a.h"\n// of a\nint a();\n')
        self.write("src/room/a.h", "// says\n// what\nint declared();\n")
        self.write("src/room/b.cc", '#include "room/b.h"\nint b();\n')
        self.write("src/room/b.h", "int b();\n")
        self.write(".clang-tidy", "Checks: all\n")
        self.write("tests/fuzz/head/seed", "seed\n")
        self.write("build/release/compile_commands.json", json.dumps(
            [{"file": str(at / name), "command": f"ccache clang++-19 -I{at}/src -o {name}.o -c {at / name}"}
             for name in ("src/room/a.cc", "src/room/b.cc")]))
        for script in ("tidy", "fuzz", "check-comments"):
            (at / "scripts").mkdir(exist_ok=True)
            shutil.copy(ROOT / "scripts" / script, at / "scripts")
        comments = at / "scripts/check-comments"
        comments.write_text(re.sub(r"EXEMPT = \{.*?\}", "EXEMPT = set()", comments.read_text(), flags=re.DOTALL))
        subprocess.run("git init -q && git add src scripts", shell=True, cwd=at, check=True)

    def write(self, name: str, text: str) -> None:
        file = self.at / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, (1e9, 1e9))  # not in this second: what changes while it is analysed is not remembered

    def run(self, script: str, *arguments, **env) -> tuple:
        done = subprocess.run([self.at / "scripts" / script, *arguments], text=True, capture_output=True, timeout=60,
                              env=os.environ | {"PATH": f"{self.tools}:{os.environ['PATH']}", "TIDY_CACHE": str(self.kept),
                                                "FUZZ_CACHE": str(self.kept)} | env)
        return done.returncode, done.stdout + done.stderr

    def tidy(self, **env) -> tuple:
        """The exit code, which files were analysed, and what was said last."""
        analysed = self.tools / "analysed"
        analysed.write_text("")
        code, said = self.run("tidy", "build/release", **env)
        return code, sorted(Path(name).name for name in analysed.read_text().split()), said.splitlines()[-1]

    def fuzzer(self, poison: str = "") -> None:
        self.write("src/room/head_fuzz.cc", "")
        self.write("build/asan/head_fuzz", FUZZER)
        (self.at / "build/asan/head_fuzz").chmod(0o755)
        self.write("build/asan/poison", poison)


@pytest.fixture
def make(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "clang-tidy-19").write_text(TIDY)
    (tools / "clang-tidy-19").chmod(0o755)
    (tools / "version").write_text("19.1.7\n")
    return lambda name: Project(tmp_path / name, tools, tmp_path / "kept")


@pytest.fixture
def project(make):
    return make("one")


# ---- clang-tidy


def test_what_was_clean_is_not_analysed_again_in_any_clone(project, make):
    assert project.tidy() == (0, ["a.cc", "b.cc"], "tidy: 2 files, 0 known to be clean, 2 analysed, 0 with findings, "
                                                   "0 not reached in time")
    assert project.tidy() == (0, [], "tidy: 2 files, 2 known to be clean, 0 analysed, 0 with findings, "
                                     "0 not reached in time")
    assert make("another").tidy()[:2] == (0, [])


def test_a_header_that_changed_has_those_analysed_that_include_it(project):
    project.tidy()
    project.write("src/room/a.h", "// says\n// what\nint declared(int);\n")
    assert project.tidy()[:2] == (0, ["a.cc"])
    project.write("src/room/a.h", "// says\n// what\nint declared();\n")  # as it was
    assert project.tidy()[:2] == (0, [])


def test_another_configuration_version_or_flag_has_all_analysed(project):
    project.tidy()
    project.write(".clang-tidy", "Checks: some\n")
    assert project.tidy()[1] == ["a.cc", "b.cc"]
    (project.tools / "version").write_text("19.1.8\n")
    assert project.tidy()[1] == ["a.cc", "b.cc"]
    commands = project.at / "build/release/compile_commands.json"
    commands.write_text(commands.read_text().replace("-I", "-DNEW -I", 1))
    assert project.tidy()[1] == ["a.cc"]


def test_comments_have_nothing_analysed_but_those_for_clang_tidy_and_raw_strings_do(project):
    project.tidy()
    project.write("src/room/a.h", "// says less\nint declared();\n")
    assert project.tidy()[1] == []
    project.write("src/room/a.h", "// NOLINTNEXTLINE(all)\nint declared();\n")
    assert project.tidy()[1] == ["a.cc"]
    project.write("src/room/b.cc", '#include "room/b.h"\nauto b = R"(\n// one\n)";\n')
    assert project.tidy()[1] == ["b.cc"]
    project.write("src/room/b.cc", '#include "room/b.h"\nauto b = R"(\n// two\n)";\n')
    assert project.tidy()[1] == ["b.cc"]


def test_findings_are_never_remembered(project):
    project.write("src/room/a.h", "int BAD();\n")
    for _ in range(2):
        code, analysed, said = project.tidy()
        assert code == 1 and "a.cc" in analysed and "1 with findings" in said
    project.write("src/room/a.h", "int good();\n")
    assert project.tidy()[:2] == (0, ["a.cc"])


def test_what_there_was_no_time_for_is_counted_and_done_the_next_time(project):
    code, analysed, said = project.tidy(TIDY_SECONDS="-1")
    assert (code, analysed) == (0, []) and said.endswith("0 analysed, 0 with findings, 2 not reached in time")
    assert project.tidy()[1] == ["a.cc", "b.cc"]


def test_chosen_files_are_analysed_alone(project):
    code, said = project.run("tidy", "build/release", "src/room/b.cc")
    assert code == 0 and "tidy: 1 files, 0 known to be clean, 1 analysed" in said


def test_fuzz_targets_are_analysed_though_this_build_has_none(project):
    project.write("src/room/head_fuzz.cc", "int BAD();\n")
    code, analysed, _ = project.tidy()
    assert code == 1 and "head_fuzz.cc" in analysed


# ---- fuzz targets


def test_corpora_are_kept_and_grow_from_run_to_run_and_clone_to_clone(project, make):
    project.fuzzer()
    code, said = project.run("fuzz", "build/asan", "1")
    assert code == 0 and "passed, 42 inputs" in said and "corpus 0 + 1" in said, said
    another = make("another")
    another.fuzzer()
    assert "corpus 1 + 1" in another.run("fuzz", "build/asan", "1")[1]


def test_a_corpus_that_has_doubled_is_made_small(project):
    project.fuzzer()
    corpus = project.kept / "head/corpus"
    corpus.mkdir(parents=True)
    for n in range(600):
        (corpus / f"{n:03}").write_text("x")
    code, said = project.run("fuzz", "build/asan", "1")
    assert code == 0 and "corpus of 600 inputs merged into 60" in said and "corpus 60 + 1" in said, said
    assert "merged" not in project.run("fuzz", "build/asan", "1")[1]


def test_what_broke_a_target_is_kept_and_tried_again_until_it_breaks_nothing(project):
    project.fuzzer(poison="seed")
    code, said = project.run("fuzz", "build/asan", "1")
    kept = project.kept / "head/crashes/crash-0815"
    assert code == 1 and f"FAILED, kept: {kept}" in said and kept.exists(), said
    (project.at / "tests/fuzz/head/seed").write_text("another\n")
    code, said = project.run("fuzz", "build/asan", "1")
    assert code == 1 and f"still broken by {kept}" in said, said
    project.fuzzer()
    assert project.run("fuzz", "build/asan", "1")[0] == 0
    assert not kept.exists() and (project.kept / "head/corpus/crash-0815").exists()


@pytest.mark.parametrize("missing", ["build/asan/head_fuzz", "tests/fuzz/head/seed"])
def test_a_target_that_cannot_run_is_a_failure(project, missing):
    project.fuzzer()
    (project.at / missing).unlink()
    if "seed" in missing:
        (project.at / missing).parent.rmdir()
    code, said = project.run("fuzz", "build/asan", "1")
    assert code == 1 and "fuzz targets: 0 passed, 1 failed" in said, said


# ---- comments

LONG = "// " + "word " * 21 + "sentence"  # 116 columns
BROKEN = """\
// Owner:    base::Ref; the memory tier holds one, every reply under way another, so that eviction never waits for
// a
//           slow client and never pulls bytes from under one.
int a;
"""
BROKEN_IN_A_SENTENCE = """\
// partNumber are kept, everything else would be a sub-resource (?acl, ?policy) or a way to change the reply's
// fields
// (?response-content-type) and more.
int a;
"""
FINE = """\
// Owner:    whoever made it.
// Thread:   any
//
//   name      what it is
//   other     what that is
//
//   for (;;) {
//     next();
//   }
//
// - a list
// - of things
// A sentence that ends.
// Another one, whose last line has a single
// word.
int a;  // 110 columns are what it may have, and no more, wherever on the line a comment begins, like this one
"""


@pytest.mark.parametrize("text, fault", [(LONG + "\nint a;\n", "116 columns, 110 at the most"),
                                         ("int a;  " + LONG + "\n", "124 columns"), (BROKEN, "broken in the middle"),
                                         (BROKEN_IN_A_SENTENCE, "broken in the middle"), (FINE, "")])
def test_a_comment_is_neither_too_wide_nor_broken(project, text, fault):
    project.write("src/room/a.h", text)
    code, said = project.run("check-comments")
    assert (code, fault in said) == (1 if fault else 0, True), said


@pytest.mark.parametrize("text", [LONG + "\nint a;\n", BROKEN, BROKEN_IN_A_SENTENCE])
def test_such_comments_are_mended_without_losing_a_word(project, text):
    project.write("src/room/a.h", text)
    code, said = project.run("check-comments", "--fix")
    mended = (project.at / "src/room/a.h").read_text()
    assert code == 0 and mended.replace("//", "").split() == text.replace("//", "").split(), said
    assert all(len(line) <= 110 for line in mended.splitlines())


# ---- scripts/regression


def regression(folder, *arguments):
    done = subprocess.run(["scripts/regression", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60,
                          env=os.environ | {"SEKISHO_KEPT": str(folder)})
    return done.returncode, [line for line in done.stdout.splitlines() if line.startswith("regression:")], done.stderr


def harness(folder, code: int, line: str, alone: int = 0) -> str:
    """A program that ends as `prove ab` does, and `prove run` with `alone`."""
    path = folder / "sekisho"
    path.write_text(f"#!/bin/sh\necho '{line}'\n[ \"$2\" = ab ] && exit {code}\nexit {alone}\n")
    path.chmod(0o755)
    return str(path)


def test_what_could_not_be_set_beside_anything_is_said(tmp_path):
    binary = harness(tmp_path, 0, "PASS: no regression of B against A.")
    kept = tmp_path / "kept"
    assert regression(kept, binary) == (0, ["regression: not compared: no binary of an earlier green run is kept here"], "")
    assert regression(kept, "--keep", binary)[0] == 0 and (kept / "sekisho").exists()
    code, lines, _ = regression(kept, binary)
    assert code == 0 and lines[0].startswith("regression: none against "), lines


@pytest.mark.parametrize("ends, line, alone, code, said", [
    (1, "FAIL: confirmed: cpu per request.", 0, 1, "CONFIRMED"),
    (3, "Not decided: cpu per request may have changed.", 0, 0, "not decided against"),
    (2, "sekisho: unknown key", 0, 0, "cannot run this: sekisho: unknown key"),
    (2, "sekisho: unknown key", 3, 0, "cannot run this: sekisho: unknown key"),
    (2, "sekisho: no such file", 2, 1, "this build does not pass by itself: sekisho: no such file"),
    (139, "", 0, 0, "not compared"),
    (139, "", 139, 1, "this build does not pass by itself"),
])
def test_only_a_regression_and_a_build_that_cannot_run_are_red(tmp_path, ends, line, alone, code, said):
    binary = harness(tmp_path, ends, line, alone)
    assert regression(tmp_path / "kept", "--keep", binary)[0] == 0
    got, lines, _ = regression(tmp_path / "kept", binary)
    assert got == code and len(lines) == 1 and said in lines[0], lines
