"""What the documents show works: the program of README.md, the recipes of CONTRIBUTING.md, the commands, the links."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import pytest

import kerata
from kerata import cli

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(p for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")))


def programs(document: str) -> list[str]:
    """The Python blocks of a document, those of lists included."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return [textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```$", text, re.M | re.S)]


def run(program: str, folder: Path) -> str:
    """What a program printed, in a process of its own with the engine that Kerata chooses."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_BACKEND")}
    environment["PYTHONPATH"] = str(ROOT / "src")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_program_of_the_readme(tmp_path):
    (program,) = programs("README.md")
    shown = run(program + "\nprint(Scale()(ops.ones((2, 3))).shape == (2, 3))", tmp_path)
    accuracy = float(re.findall(r"val_accuracy: ([\d.]+)", shown)[-1])
    assert accuracy > 0.85 and shown.endswith("True\n")
    assert (tmp_path / "digits.keras").exists()


def absent() -> list[str]:
    """Public names of Keras that Kerata lacks: of the package and of its parts."""
    missing = [name for name in dir(keras) if not name.startswith("_") and not hasattr(kerata, name)]
    for part in (
        "callbacks",
        "config",
        "layers",
        "losses",
        "metrics",
        "models",
        "optimizers",
        "saving",
        "utils",
    ):
        theirs, ours = getattr(keras, part), getattr(kerata, part)
        missing += [n for n in dir(theirs) if not n.startswith("_") and not hasattr(ours, n)]
    return missing


# What the README names together: the layers whose module in Keras says so, and utilities by what they are for.
FAMILIES = {
    "array_to_img", "img_to_array", "load_img", "save_img", "bounding_boxes",  # pictures
    "get_file", "model_to_dot", "plot_model", "FeatureSpace",  # files, plots, feature spaces
    "audio_dataset_from_directory", "image_dataset_from_directory", "text_dataset_from_directory",
    "timeseries_dataset_from_array", "src",
}  # fmt: skip


def test_the_readme_names_what_is_missing():
    words = set(re.findall(r"\w+", (ROOT / "README.md").read_text(encoding="utf-8"))) | {
        "ConvLSTM2D",
        "ConvLSTM3D",
    }
    untold = [
        name
        for name in absent()
        if name not in words
        and name not in FAMILIES
        and "preprocessing" not in getattr(getattr(keras.layers, name, None), "__module__", "")
    ]
    assert untold == []


def test_the_recipes_of_an_op_and_a_layer(tmp_path):
    """Each stands where its recipe puts it, and answers what it is asked there."""
    op, layer = programs("CONTRIBUTING.md")
    shown = run(
        f"""
import sys, doctest
from kerata import layers, verify
from kerata.core.declare import DECLARED
from kerata.ops import statistics, arithmetic, reduction
family = vars(statistics) | dict(mean=reduction.mean, sqrt=arithmetic.sqrt, square=arithmetic.square)
exec({op!r}, family)
for question in (verify.values, verify.compiled, verify.symbolic, verify.gradients, verify.refusals):
    print(question(DECLARED["root_mean_square"], "numpy"))
print(len(DECLARED["root_mean_square"].samples))
module = dict(__name__="kerata.layers.learned_scale", __package__="kerata.layers")
exec({layer!r}, module)
layers.LearnedScale = module["LearnedScale"]
for thing, names in ((family["root_mean_square"], family), (layers.LearnedScale, module)):
    test = doctest.DocTestParser().get_doctest(thing.__doc__, dict(names), "recipe", None, 0)
    print(doctest.DocTestRunner().run(test).failed, len(test.examples))
print(layers.LearnedScale("zeros")(verify.cases.np.ones((2, 3))).sum())
""",
        tmp_path,
    )
    assert shown.split("\n") == ["[]"] * 5 + ["5", "0 1", "0 2", "0.0", ""]


def commands() -> list[tuple[str, str]]:
    """(document, arguments) of each `kerata …` that stands in a code span or begins a line of a block."""
    return [
        (str(document.relative_to(ROOT)), " ".join(found.split()))
        for document in DOCUMENTS
        for found in re.findall(
            r"(?:`|^|&& )kerata ([a-z]+[^`#&]*?)(?=`| *#|$)", document.read_text(encoding="utf-8"), re.M
        )
    ]


@pytest.mark.parametrize(("document", "arguments"), commands())
def test_commands_exist(document, arguments):
    assert cli._parser().parse_args(arguments.split()).run is not None


def test_the_table_of_benchmarks_has_each_script():
    scripts = {
        p.name for p in (ROOT / "benchmarks").glob("*.py") if "__main__" in p.read_text(encoding="utf-8")
    }
    shown = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"python benchmarks/(\w+\.py)", shown)) == scripts


@pytest.mark.parametrize(
    "command",
    re.findall(r"`python benchmarks/([^`]+)`", (ROOT / "benchmarks" / "README.md").read_text("utf-8")),
)
def test_a_benchmark_says_what_it_measures(command):
    """`--help` begins with what the script's first lines say, and knows the options that the table shows."""
    script = ROOT / "benchmarks" / command.split()[0]
    done = subprocess.run(
        [sys.executable, str(script), "--help"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert script.read_text(encoding="utf-8").split('"""')[1].splitlines()[0] in done.stdout
    assert [option for option in re.findall(r"--[a-z]+", command) if option not in done.stdout] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(document):
    """Paths in code spans, from the root of the repository or of the package."""
    named = re.findall(r"`([\w/.]+/[\w.]+\.(?:py|c|md|toml))\b", document.read_text(encoding="utf-8"))
    roots = (ROOT, ROOT / "src" / "kerata", document.parent)
    made = {"src/kerata/layers/learned_scale.py"}  # by a recipe
    assert [
        name for name in named if name not in made and not any((root / name).exists() for root in roots)
    ] == []
