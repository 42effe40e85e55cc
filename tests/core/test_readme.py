"""What the README says of the project's own files."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_draws_the_layers_that_are_checked():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one.get("containers") == ["roi_core"])
    drawn = "\n".join(layer.replace(" | ", " · ") for layer in layers)
    assert f"```\n{drawn}\n```" in (ROOT / "README.md").read_text()
